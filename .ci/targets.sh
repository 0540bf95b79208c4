#!/bin/sh
# Other processors: libraries under emulators, and files between machines of either byte order.
# targets.sh BUILD [TARGET...]
set -eu
build=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

. cmake/packages.sh
need_packages $TARGET_PACKAGES

# One host, one s390x: each writes, both read what the other wrote, and the files have the same
# bytes.
foreign_packages s390x "$work/s390x" libjansson-dev
formats() {
    compiler=$1
    shift
    "$compiler" -std=c11 -O1 -Wall -Wextra -Wno-unknown-pragmas -Iruntime -Itests/runtime \
        -Itests/support tests/targets/formats.c tests/runtime/tiny_model.c \
        runtime/formats/*.c runtime/weights/weights.c runtime/train/checkpoint.c \
            runtime/train/schedule.c runtime/settings.c runtime/error.c "$@" -lm
}
formats cc -o "$work/here" -ljansson
formats s390x-linux-gnu-gcc -static -I"$work/s390x/usr/include" -o "$work/there" \
    "$work/s390x/usr/lib/s390x-linux-gnu/libjansson.a"
mkdir "$work/ours" "$work/theirs"
"$work/here" write "$work/ours"
qemu-s390x "$work/there" write "$work/theirs"
"$work/here" read "$work/theirs"
qemu-s390x "$work/there" read "$work/ours"
for file in run.safetensors latent.npy; do
    cmp "$work/ours/$file" "$work/theirs/$file"
done
echo "s390x      checkpoint and array: the same bytes, read by either"

python3 tests/targets/run.py --build "$build" --compare README.md "$@"
