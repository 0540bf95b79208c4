#!/bin/sh
# Writes the references in nets/ anew: the networks of nets.txt whose names start with small_. Wants
# PyTorch.
#   sh tests/reference/refresh.sh [ORACLE]      ORACLE: another oracle.py than the one beside this
#                                               file; PYTHON: another interpreter than Debian's,
#                                               with PyTorch
set -eu
oracle=$(realpath "${1:-$(dirname "$0")/oracle.py}")
cd "$(dirname "$0")"
grep '^small_' nets.txt | while read -r name spec; do
  "${PYTHON:-/usr/bin/python3}" "$oracle" net "nets/$name.safetensors" "nets/$name.lua" "$spec" > \
      /dev/null
done
