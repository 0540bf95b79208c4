/* peak.h - what the arithmetic units could do: the other half of every efficiency figure. */
#ifndef CAEC_PEAK_H
#define CAEC_PEAK_H

/* GFLOP/s (a fused multiply-add counts as two) of `threads` threads at once, in `real`, with the
   vector width that this file is compiled for: give it the flags of the model's kernels. Chains of
   multiply-adds that depend on nothing but themselves, enough of them to fill the pipelines; no
   memory. The best of several windows that take `seconds` together, since whatever else runs can
   only lower the figure. Without OpenMP one thread runs. */
double peak_fma_gflops(int threads, double seconds);

#endif
