#include "native.h"

const char *native_target(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl"))
        return "x86-64-v4";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
        && __builtin_cpu_supports("bmi2"))
        return "x86-64-v3";
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt"))
        return "x86-64-v2";
    return "c";
#elif defined(__aarch64__)
    return "aarch64";
#elif defined(__ARM_NEON) && defined(__ARM_FEATURE_FMA) && defined(__ARM_PCS_VFP)
    return "armv7";
#elif defined(__riscv) && __riscv_xlen == 64 && defined(__riscv_float_abi_double)
    return "riscv64";
#else
    return "c";
#endif
}
