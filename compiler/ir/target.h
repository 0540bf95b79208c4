/* target.h - what code is made for: plain numbers, one row a machine. */
#ifndef CAEC_TARGET_H
#define CAEC_TARGET_H

typedef struct Target {
    const char *name; /* as --target takes it */
    const char *about;
    const char *flags;      /* for the C compiler */
    const char *features;   /* what the processor must have, as emit/supported.c.in names it, space
                               separated; "": no program can tell */
    int vector_bytes;       /* 0: scalars */
    int registers;          /* vector registers (scalar ones where vector_bytes is 0) */
    int l1_bytes, l2_bytes; /* data caches a core, for tile sizes */
    int openblas;           /* 1: programs for it may link OpenBLAS */
    int hosted;             /* 0: no files and threads, so --emit library alone */
    int pointer_bits;       /* 0: whatever the machine has */
    const char *helpers;    /* functions of the compiler's own library that code for it may call */
    const char *clang_helpers; /* those that Clang calls besides, for memcpy and memset */
    const char *cmake;  /* what CMake must be told to build for it elsewhere, by Debian's cross
                           compiler; "": nothing, the machine's own compiler does */
    const char *tested; /* where the project's tests run what is made for it */
} Target;

/* For the kernels of every target: contraction into fused multiply-adds is intended, a sum is never
   reordered. gcc_flags: of GCC alone; its predictive commoning would carry the overlapping windows
   of neighbouring pixels through memory instead of reading them again. What caec writes names them
   in its CMakeLists.txt and README.md, and --tune compiles with them. */
extern const char kernel_flags[], gcc_flags[];

/* The row of that name, `native` being the row that fits this machine best; NULL where there is
   none. */
const Target *target_find(const char *name);

extern const Target targets[];
extern const int target_count;

#endif
