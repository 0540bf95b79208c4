#include "target.h"

#include <string.h>

const Target targets[] = {
    { "x86-64-v4", "AVX-512 (Skylake-X, Ice Lake, Zen 4 and later)", "-march=x86-64-v4 -mprefer-vector-width=512",
      "avx512f avx512bw avx512cd avx512dq avx512vl", 64, 32, 32 << 10, 1 << 20, 1 },
    { "x86-64-v3", "AVX2 and FMA (Haswell, Zen and later)", "-march=x86-64-v3", "avx2 fma bmi2", 32, 16, 32 << 10, 256 << 10, 1 },
    { "x86-64-v2", "SSE4.2 (Nehalem and later)", "-march=x86-64-v2", "sse4.2 popcnt", 16, 16, 32 << 10, 256 << 10, 1 },
    { "aarch64", "ARMv8 with NEON", "-march=armv8-a", "", 16, 32, 32 << 10, 256 << 10, 1 },
    { "c", "plain C11, no vectors: any machine", "", "", 0, 16, 32 << 10, 256 << 10, 0 },
};
const int target_count = sizeof targets / sizeof targets[0];

static const char *native_name(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return "x86-64-v4";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
        return "x86-64-v3";
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt"))
        return "x86-64-v2";
    return "c";
#elif defined(__aarch64__)
    return "aarch64";
#else
    return "c";
#endif
}

const Target *target_find(const char *name)
{
    if (strcmp(name, "native") == 0)
        name = native_name();
    for (int i = 0; i < target_count; i++)
        if (strcmp(targets[i].name, name) == 0)
            return &targets[i];
    return NULL;
}
