#!/usr/bin/env python3
"""Speed by rows: the library of graphs/cae.lua with --stream beside one with every convolution by
conv_direct, whole images on one thread, in turn.

    python3 tests/bench/stream.py --build DIR [--target NAME] [--rounds N] [--at-least SHARE]

DIR holds caec. Prints the medians in milliseconds, and ends with 1 where rows are slower than that
share of the speed of direct kernels. On a machine that does nothing else.
"""
import argparse
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
IMAGES = 12                     # that a run times, after one that it does not

# The median of what an image takes, in milliseconds.
TIMER = r"""
#define _POSIX_C_SOURCE 200809L
#include "cae.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static float parameters[CAE_PARAMETER_FLOATS], output[CAE_OUTPUT_FLOATS];
static uint8_t image[CAE_IMAGE_BYTES];
static _Alignas(CAE_ALIGN) unsigned char prepared[CAE_PREPARED_BYTES];
static _Alignas(CAE_ALIGN) unsigned char workspace[CAE_WORKSPACE_BYTES];

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    double ms[IMAGES + 1];
    for (size_t i = 0; i < CAE_PARAMETER_FLOATS; i++)
        parameters[i] = (float)(i * 7919 % 101) / 1010 - 0.05f;
    for (size_t i = 0; i < CAE_IMAGE_BYTES; i++)
        image[i] = (uint8_t)(i * 31);
    if (cae_prepare(parameters, prepared, sizeof prepared) != 0)
        return 1;
    for (int i = 0; i <= IMAGES; i++) {
        const double start = now();
        if (cae_reconstruct(prepared, image, output, workspace, sizeof workspace) != 0)
            return 1;
        ms[i] = now() - start;
    }
    qsort(ms + 1, IMAGES, sizeof *ms, ascending);
    printf("%.6f\n", (ms[IMAGES / 2] + ms[IMAGES / 2 + 1]) / 2);
    return 0;
}
"""


def run(words):
    done = subprocess.run(
        [str(w) for w in words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout}\nended with {done.returncode}")
    return done.stdout


def convolutions(caec, graph):
    """Their names, from the tables of layers: encoder.conv1, ..."""
    names, part = [], ""
    for line in run([caec, graph, "--summary"]).splitlines():
        model, layer = re.match(r'Model: "(\w+)"', line), re.match(r" (\w+) \(conv2d\)", line)
        part = model.group(1) if model else part
        names += [f"{part}.{layer.group(1)}"] if layer else []
    return names


def build(caec, graph, target, options, folder):
    """A program that times the library that comes of these options, built as its folder says."""
    run(
        [
            caec,
            graph,
            "-o",
            folder,
            "--emit",
            "library",
            "--no-training",
            "--target",
            target,
            *options,
        ]
    )
    run(["cmake", "-S", folder / "cae", "-B", folder / "build", "-G", "Ninja", "-DEXAMPLE=OFF"])
    run(["cmake", "--build", folder / "build"])
    (folder / "timer.c").write_text(TIMER)
    run(
        [
            "cc",
            "-std=c11",
            "-O2",
            f"-DIMAGES={IMAGES}",
            "-I",
            folder / "cae",
            folder / "timer.c",
            folder / "build/libcae.a",
            "-o",
            folder / "timer",
        ]
    )
    return folder / "timer"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--target", default="native")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--at-least", type=float, default=0.9)
    args = parser.parse_args()
    caec, graph = args.build.resolve() / "bin/caec", PROJECT / "graphs/cae.lua"
    direct = [
        word for name in convolutions(caec, graph) for word in ("--kernel", f"{name}=conv_direct")
    ]
    assert len(direct) == 12
    with tempfile.TemporaryDirectory(prefix="caec-stream-") as folder:
        programs = {"by rows": build(caec, graph, args.target, ["--stream"], Path(folder) / "rows"),
                    "conv_direct": build(caec, graph, args.target, direct, Path(folder) / "direct")}
        times = {name: [] for name in programs}
        for _ in range(args.rounds):
            for name, program in programs.items():
                times[name].append(float(run([program])))
    medians = {name: statistics.median(ms) for name, ms in times.items()}
    for name, ms in medians.items():
        print(f"{name:12} {ms:8.3f} ms an image, {min(times[name]):.3f} to {max(times[name]):.3f}")
    share = medians["conv_direct"] / medians["by rows"]
    print(f"by rows at {share:.2f} of the speed of conv_direct; at least {args.at_least} is wanted")
    sys.exit(share < args.at_least)


main()
