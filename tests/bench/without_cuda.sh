#!/bin/sh
# Lets a PyTorch built for CUDA load on a machine that has neither its libraries nor a GPU.
#   sh without_cuda.sh SITE-PACKAGES/torch/lib
# PyTorch's libraries name those of CUDA and are bound to them when they load, though nothing calls
# them without a GPU. One empty library takes the place of all: every function that PyTorch wants is
# there and aborts. Only libcudart must be the real one (nvidia-cuda-runtime, 2.5 MB): it is asked
# how many GPUs there are. Needs readelf, nm and cc; nothing outside the folder is touched.
set -eu
cd "$1"

names=$(readelf -d ./*.so | sed -n 's/.*(NEEDED).*\[\(lib\(cu\|nv\|nccl\)[^]]*\)\].*/\1/p' \
    | grep -v '^libcudart' | sort -u)
source=$(mktemp --suffix=.c)
trap 'rm -f "$source"' EXIT
{
    echo '#include <stdlib.h>'
    echo 'long absent(void);'
    echo 'long absent(void) { abort(); }'
    nm -D --undefined-only ./*.so \
        | sed -n 's/^ *[Uw] \(\(cu\|nv\|nccl\)[A-Za-z0-9_]*\)\(@.*\)\{0,1\}$/\1\3/p' \
        | grep -v '@libcudart' |
        sed 's/@.*//' | sort -u | sed 's/.*/long &(void) __attribute__((alias("absent")));/'
} > "$source"
# -w: compilers know some of these names with other types.
cc -shared -fPIC -w -o libcuda_absent.so "$source"
for name in $names; do
    ln -sf libcuda_absent.so "$name"
done
