#include "target.h"

#include "native.h"

#include <string.h>

/* Of the run-time ABI for the Arm architecture: what 32-bit processors have no instructions for,
   and what those have not that compute with floats alone. */
#define INTEGER_HELPERS                                                                         \
    "__aeabi_idiv __aeabi_idivmod __aeabi_uidiv __aeabi_uidivmod __aeabi_lmul __aeabi_ldivmod " \
    "__aeabi_uldivmod "                                                                         \
    "__aeabi_l2f __aeabi_ul2f __aeabi_l2d __aeabi_ul2d"
#define DOUBLE_HELPERS                                                                   \
    "__aeabi_dadd __aeabi_dsub __aeabi_dmul __aeabi_ddiv __aeabi_dcmpeq __aeabi_dcmplt " \
    "__aeabi_dcmple __aeabi_dcmpge __aeabi_dcmpgt "                                      \
    "__aeabi_dcmpun __aeabi_d2f __aeabi_f2d __aeabi_d2iz __aeabi_d2lz __aeabi_i2d __aeabi_ui2d"

/* Of the same: what Clang makes of memcpy and memset where there is no system. */
#define MEMORY_HELPERS                                                               \
    "__aeabi_memcpy __aeabi_memcpy4 __aeabi_memcpy8 __aeabi_memset __aeabi_memset4 " \
    "__aeabi_memset8 __aeabi_memclr __aeabi_memclr4 "                                \
    "__aeabi_memclr8"

/* What compilers use of the levels of the x86-64 psABI. */
#define V2_FEATURES "sse3 ssse3 sse4.1 sse4.2 popcnt"
#define V3_FEATURES V2_FEATURES " avx avx2 bmi1 bmi2 f16c fma lzcnt movbe osxsave"

/* For CMake: systems with a C library to try the compiler with, and without. */
#define LINUX "-DCMAKE_SYSTEM_NAME=Linux "
#define BARE "-DCMAKE_SYSTEM_NAME=Generic -DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY "

/* ARMv7: GCC takes NEON for vectors of floats only with -funsafe-math-optimizations, since NEON has
   no denormal numbers; what else that allows is taken back. */
const Target targets[] = {
    { "x86-64-v4", "AVX-512 (Skylake-X, Ice Lake, Zen 4 and later)",
      "-march=x86-64-v4 -mprefer-vector-width=512",
      V3_FEATURES " avx512f avx512bw avx512cd avx512dq avx512vl", 64, 32, 32 << 10, 1 << 20, 1, 1,
      64, "", "", "", "Linux" },
    { "x86-64-v3", "AVX2 and FMA (Haswell, Zen and later)", "-march=x86-64-v3", V3_FEATURES, 32, 16,
      32 << 10, 256 << 10, 1, 1, 64, "", "", "", "Linux" },
    { "x86-64-v2", "SSE4.2 (Nehalem and later)", "-march=x86-64-v2", V2_FEATURES, 16, 16, 32 << 10,
      256 << 10, 1, 1, 64, "", "", "", "Linux" },
    { "aarch64", "ARMv8 with NEON", "-march=armv8-a", "", 16, 32, 32 << 10, 256 << 10, 1, 1, 64, "",
      "", LINUX "-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc", "qemu-aarch64" },
    { "armv7", "ARMv7-A with NEON and VFPv4 (Cortex-A7, A15 and later), hard float",
      "-march=armv7-a -mfpu=neon-vfpv4 -mfloat-abi=hard -funsafe-math-optimizations "
      "-fno-associative-math -fno-reciprocal-math -fsigned-zeros",
      "", 16, 16, 32 << 10, 256 << 10, 1, 1, 32, INTEGER_HELPERS, MEMORY_HELPERS,
      LINUX "-DCMAKE_C_COMPILER=arm-linux-gnueabihf-gcc", "qemu-arm" },
    { "riscv64", "RV64GC, no vectors", "-march=rv64gc -mabi=lp64d", "", 0, 32, 32 << 10, 256 << 10,
      1, 1, 64, "", "", LINUX "-DCMAKE_C_COMPILER=riscv64-linux-gnu-gcc", "qemu-riscv64" },
    { "wasm32", "WebAssembly with SIMD, by Clang; a library", "-msimd128", "", 16, 16, 32 << 10,
      256 << 10, 0, 0, 32, "", "",
      BARE "-DCMAKE_C_COMPILER=clang -DCMAKE_C_COMPILER_TARGET=wasm32-unknown-unknown", "node" },
    { "cortex-m7", "Cortex-M7 with a unit for floats, no vectors; a library",
      "-mcpu=cortex-m7 -mthumb -mfpu=fpv5-sp-d16 -mfloat-abi=hard", "", 0, 32, 16 << 10, 256 << 10,
      0, 0, 32, INTEGER_HELPERS " " DOUBLE_HELPERS, MEMORY_HELPERS,
      BARE "-DCMAKE_C_COMPILER=arm-none-eabi-gcc", "qemu-system-arm" },
    { "cortex-m4", "Cortex-M4 with a unit for floats, no vectors; a library",
      "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard", "", 0, 32, 16 << 10, 256 << 10,
      0, 0, 32, INTEGER_HELPERS " " DOUBLE_HELPERS, MEMORY_HELPERS,
      BARE "-DCMAKE_C_COMPILER=arm-none-eabi-gcc", "qemu-system-arm" },
    { "c", "plain C11, no vectors: any machine", "", "", 0, 16, 32 << 10, 256 << 10, 0, 1, 0, "",
      "", "", "Linux" },
};
const int target_count = sizeof targets / sizeof targets[0];

const char kernel_flags[] = "-ffp-contract=fast -fno-math-errno -fno-trapping-math";
const char gcc_flags[] = "-fno-predictive-commoning";

const Target *target_find(const char *name)
{
    if (strcmp(name, "native") == 0)
        name = native_target();
    for (int i = 0; i < target_count; i++)
        if (strcmp(targets[i].name, name) == 0)
            return &targets[i];
    return NULL;
}
