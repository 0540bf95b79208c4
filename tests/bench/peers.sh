#!/bin/sh
# Installs the programs that compare.py measures caec against, each in a virtual environment of its
# own.
#   sh tests/bench/peers.sh [DIR [NAME...]]      DIR: build/bench-venv; NAME: debian, torch, keras,
#                                                onnxruntime (all)
# Downloads: debian 30 MB and more (python3-torch by apt-get), torch 560 MB, keras 300 MB,
# onnxruntime 60 MB; on disk 3.5 GB together. What is there already is left as it is: delete
# DIR/NAME for a newer one. PYTHON names another Python for the environments (python3).
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../cmake/packages.sh"
dir=${1:-$here/../../build/bench-venv}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- debian torch keras onnxruntime
python=${PYTHON:-python3}
failed=

# environment NAME MODULE: makes DIR/NAME unless MODULE loads there already.
environment() {
    pip="$dir/$1/bin/python -m pip install --disable-pip-version-check --progress-bar off --quiet"
    if "$dir/$1/bin/python" -c "import $2" 2>/dev/null; then
        echo "$1: here already, in $dir/$1"
        return 1
    fi
    rm -rf "${dir:?}/$1"
    "$python" -m venv "$dir/$1" || { failed="$failed $1"; return 1; }
}

# The wheel for Linux asks for several GB of CUDA libraries. It is taken without them;
# without_cuda.sh lets it load all the same.
torch() {
    environment torch torch || return 0
    echo "torch: installing torch without CUDA (560 MB) into $dir/torch"
    $pip --no-deps torch &&
        $pip filelock typing-extensions setuptools sympy networkx jinja2 fsspec numpy onnx 2>&1 |
            # it misses the CUDA packages
            grep -v '^torch .* requires\|^ERROR: pip.s dependency' >&2
    site=$("$dir/torch/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    if [ -f "$site/torch/lib/libtorch_cuda.so" ]; then
        cuda=$(sed -n 's/^Requires-Dist: cuda-toolkit.*==\([0-9]*\.[0-9]*\).*/==\1.*/p' \
            "$site"/torch-*.dist-info/METADATA | head -n 1)
        $pip --no-deps "nvidia-cuda-runtime$cuda" && sh "$here/without_cuda.sh" "$site/torch/lib"
    fi
    "$dir/torch/bin/python" -c 'import torch; torch.rand(2) + 1' || failed="$failed torch"
}

keras() {
    environment keras keras || return 0
    echo "keras: installing tensorflow-cpu and keras (300 MB) into $dir/keras"
    $pip tensorflow-cpu keras || failed="$failed keras"
}

onnxruntime() {
    environment onnxruntime onnxruntime || return 0
    echo "onnxruntime: installing onnxruntime (60 MB) into $dir/onnxruntime"
    $pip onnxruntime || failed="$failed onnxruntime"
}

need_packages python3 python3-venv gcc g++ binutils || exit 1
mkdir -p "$dir" && dir=$(cd "$dir" && pwd) || exit 3
for name in "$@"; do
    case $name in
    debian) need_packages python3-torch python3-numpy || failed="$failed debian" ;;
    torch | keras | onnxruntime) "$name" ;;
    *) echo "peers.sh: no peer \"$name\"; there are debian, torch, keras and onnxruntime" >&2;
    exit 2 ;;
    esac
done
[ -z "$failed" ] || { echo "Could not be installed:$failed" >&2; exit 1; }
echo "Ready in $dir:  python3 tests/bench/compare.py --peers $dir"
