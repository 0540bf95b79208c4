/* Whether this processor has what cae was compiled for (x86-64-v3). Compiled without that target's
   flags, so that it runs anywhere. */
#include "cae.h"

int cae_supported(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2")
           && __builtin_cpu_supports("fma")
           && __builtin_cpu_supports("bmi2")
           ;
}
