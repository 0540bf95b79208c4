#!/bin/sh
# apply.sh TREE: brings the vocabulary and the hand to a tree of caec (README.md), and takes this folder out of it. Commits nothing.
set -eu
tree=$(cd "$1" && pwd)
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cp -R "$(dirname "$0")/." "$here"
[ -z "$(git -C "$tree" status --porcelain --untracked-files=no)" ] || echo "apply: the tree has changes that are not committed"
git -C "$tree" rm -rq --ignore-unmatch tests/tools/vocabulary
cp "$here/files/clang-format" "$tree/.clang-format"
cp "$here/format.sh" "$tree/.ci/format.sh"
git -C "$tree" add .clang-format .ci/format.sh
export PYTHONDONTWRITEBYTECODE=1
for step in rename bools wrap mutants check; do
    python3 "$here/$step.py" "$tree"
done
