#!/bin/sh
# From nothing to a trained network in a few minutes: installs what is missing, builds caec,
# compiles graphs/cae.lua, builds its trainer, trains it for about two minutes on the built-in
# pictures, and leaves reconstructions, an interpolation and the loss curve in demo/.
#   sh demo.sh              the folder and the time can be set: DEMO=demo SECONDS_TO_TRAIN=120 sh
#                           demo.sh
set -eu
cd "$(dirname "$0")"
. cmake/packages.sh
need_packages $BUILD_PACKAGES

demo=${DEMO:-demo}
seconds=${SECONDS_TO_TRAIN:-120}
say() { printf '\n== %s\n' "$*"; }

say "building caec"
cmake -S . -B build -G Ninja -DCAEC_TESTS=OFF --log-level=WARNING
cmake --build build --target caec

say "compiling graphs/cae.lua to C: generated/cae"
build/bin/caec graphs/cae.lua -o generated/
build/bin/caec graphs/cae.lua --summary | tail -n 1

say "building its trainer and its inference program"
cmake -S generated/cae -B build/demo -G Ninja --log-level=WARNING
cmake --build build/demo
train=build/demo/cae-train
infer=build/demo/cae-infer

say "training for about $seconds seconds on built-in pictures"
rate=$($train bench --steps 3 --json | sed -n 's/.*"images_per_second": *\([0-9]*\).*/\1/p')
epochs=$((seconds * ${rate:-10} / 1150))        # an epoch is 1024 pictures, and 256 to validate on
[ "$epochs" -ge 1 ] || epochs=1
$train --epochs "$epochs" --out "$demo/run"

say "pictures"
rm -rf "$demo/pictures"
$train pictures --out "$demo/pictures" --count 8
set -- "$demo"/pictures/*.png
$infer --weights "$demo/run/best.safetensors" reconstruct "$@" -o "$demo/reconstructions.png"
$infer --weights "$demo/run/best.safetensors" interpolate "$1" "$2" -o "$demo/interpolation.png"
cp "$demo/run/loss.svg" "$demo/loss.svg"

say "done; look at"
echo "  $demo/reconstructions.png   originals above, what the network makes of their latents below"
echo "  $demo/interpolation.png     16 pictures between two, mixed in the latent space"
echo "  $demo/loss.svg              loss and val_loss, epoch by epoch"
echo "  $demo/run/                  weights (best.safetensors), history.csv, samples of each epoch"
echo "Train on your own pictures:  $train --train DIR --val DIR"
