#!/bin/sh
# Writes the specimen generated/x86-64-v3/cae and the texts beside this file anew. Look at `git
# diff` afterwards: every change must be intended.
#   sh tests/golden/refresh.sh [CAEC]        CAEC: the compiler (build/bin/caec)
set -eu
cd "$(dirname "$0")/../.."
caec=${1:-build/bin/caec}
golden=tests/golden
rm -rf generated/x86-64-v3/cae
"$caec" graphs/cae.lua --target x86-64-v3 -o generated/x86-64-v3
"$caec" graphs/cae.lua --summary > $golden/cae_summary.txt
"$caec" --list ops > $golden/words.txt
"$caec" --expand conv_direct H=8 W=8 CI=3 CO=8 K=3 POOL=2 --target x86-64-v3 > \
    $golden/conv_direct_forward.c.txt
"$caec" --expand conv_plain H=8 W=8 CI=3 CO=8 K=3 DIRECTION=1 --target c > \
    $golden/conv_plain_dx.c.txt
"$caec" graphs/cae.lua --target x86-64-v3 --memory-limit 10M --dump plan --memory \
    --stop-after plan > $golden/plan_limited.txt
"$caec" graphs/cae.lua --target x86-64-v3 --memory-limit 66M --memory --stop-after plan > \
    $golden/plan_threads.txt
"$caec" graphs/cae.lua --target x86-64-v3 --emit library --stream --no-training --dump plan \
    --memory --stop-after plan > $golden/plan_stream.txt
"$caec" graphs/dense_ae.lua --target x86-64-v3 --dump plan --memory --stop-after plan > \
    $golden/plan_microbatch.txt
"$caec" graphs/dense_ae.lua --target c --dump plan --stop-after plan > \
    $golden/plan_microbatch_plain.txt
"$caec" graphs/dense_ae.lua --target x86-64-v3 --memory-limit 4120K --memory --stop-after plan > \
    $golden/plan_microbatch_least.txt
"$caec" graphs/dense_ae.lua --target x86-64-v3 --memory-limit 4500K --memory --stop-after plan > \
    $golden/plan_microbatch_limited.txt
"$caec" graphs/stacked_cae.lua --target x86-64-v3 --dump plan --stop-after plan > \
    $golden/plan_stages.txt
"$caec" graphs/stacked_cae.lua --target x86-64-v3 --memory-limit 7000K --dump plan \
    --stop-after plan > $golden/plan_stages_least.txt
"$caec" graphs/stacked_cae.lua --target x86-64-v3 --memory-limit 12M --memory --stop-after plan > \
    $golden/plan_stages_limited.txt
"$caec" graphs/unet_ae.lua --target x86-64-v3 --memory --stop-after plan > $golden/plan_skips.txt
"$caec" graphs/cae_unpool.lua --target x86-64-v3 --memory --stop-after plan > \
    $golden/plan_unpool.txt
"$caec" graphs/unet_ae.lua --dump differentiate --stop-after differentiate > \
    $golden/gradient_skips.txt
