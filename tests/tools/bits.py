#!/usr/bin/env python3
"""Bits that must not move: digests of what caec's networks compute, kept and compared.

    python3 tests/tools/bits.py keep FOLDER --build DIR [--project DIR] [--graphs PATTERN]
                                     [--targets A,B] [--reals A,B] [--work DIR]
    python3 tests/tools/bits.py compare BEFORE AFTER

keep writes a file into FOLDER for every graph in graphs/ (of this project, or --project), every
target and type of arithmetic, with a line a result, by the caec in --build DIR:

    train    every tensor of the last checkpoint after 20 updates on built-in pictures, parameters
             and the optimizer's, and of the best; the losses
    infer    latents and outputs of two pictures by these parameters, all their bits, and what
             cae-infer says of them
    library  latent and output of a fixed image by drawn weights; losses and weights of two updates
    stream   likewise of a library with --stream, and what it gives by rows

All is compiled as the folders that caec writes say. Where caec refuses, its words are the result.
compare prints every result that differs, and ends with 1 where one does or a file is gone. Bits are
those of one machine and one compiler; where these differ compare tells. Environment: CC,
CMAKE_C_COMPILER_LAUNCHER.
"""
import argparse
import fnmatch
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
TARGETS, REALS = ["native", "x86-64-v3", "c"], ["float", "double"]
# The last batch of an epoch is no power of two, so that means are rounded.
BATCH, STEPS, PICTURES = 4, 20, 39
STAGED_PICTURES = 7             # two updates an epoch: all stages of graphs/stacked_cae.lua in time
MADE_BY = "made_by"


def run(words, folder=None, may_fail=False):
    done = subprocess.run(
        [str(w) for w in words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=3600,
        env=os.environ | {"OMP_WAIT_POLICY": "passive"},
    )
    if done.returncode != 0 and not may_fail:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout}\nended with {done.returncode}")
    return done if may_fail else done.stdout


# ---- digests ----


def digest(data):
    return hashlib.sha256(data).hexdigest()


def tensors(path):
    """Of a safetensors file: each one's name, type, shape and bytes."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        for name, tensor in header.items():
            if name == "__metadata__":
                continue
            begin, end = tensor["data_offsets"]
            file.seek(8 + length + begin)
            shape = "x".join(map(str, tensor["shape"]))
            yield name, tensor["dtype"], shape, file.read(end - begin)


def tensor_digests(path):
    """Not of the file: what is written beside the tensors is no result."""
    return {name: f"{dtype} {shape} {digest(data)}" for name, dtype, shape, data in tensors(path)}


def result_digest(path):
    """Nothing but zeros would stay the same whatever is wrong."""
    data = Path(path).read_bytes()
    if not data.strip(b"\0"):
        sys.exit(f"bits: {path} has nothing but zeros")
    return f"{len(data)} bytes {digest(data)}"


def digests_write(path, digests):
    """Appears whole or not at all."""
    new = path.with_suffix(".new")
    new.write_text("".join(f"{name}: {value}\n" for name, value in digests.items()))
    new.rename(path)


def digests_read(path):
    return dict(line.split(": ", 1) for line in path.read_text().splitlines())


# ---- keep ----


@dataclass
class Job:
    """A graph for a target and a type of arithmetic."""
    caec: Path
    graph: Path
    target: str
    real: str
    work: Path                      # for this job: emptied before each build
    runtimes: dict = field(default_factory=dict)        # compiled by the first job: {real: library}

    @property
    def name(self):
        return f"{self.graph.stem} {self.target} {self.real}"


def emitted(job, options):
    """The folder that caec wrote, or its words of refusal. It has the same name for all graphs, so
    that a compiler's cache knows kernels that they share."""
    shutil.rmtree(job.work, ignore_errors=True)
    job.work.mkdir(parents=True)
    words = [job.caec, job.graph, "-o", job.work, "--target", job.target, "--real", job.real]
    done = run([*words, *options], may_fail=True)
    if done.returncode in (1, 2):
        # without the place, which may move, and the picture of the line
        first = re.sub(r"^\S+?:(\d+:\d+: )?( ?error:)? ?", "", done.stdout.splitlines()[0])
        return None, f"refused with {done.returncode}: {first}"
    if done.returncode != 0:
        sys.exit(f"{job.name}: caec {options} ended with {done.returncode}\n{done.stdout}")
    (folder,) = (f for f in job.work.iterdir() if f.is_dir())
    return folder.rename(job.work / "source"), folder.name


def build(job, name, kind, options=()):
    run(
        [
            "cmake",
            "-S",
            HERE / "bits",
            "-B",
            job.work / "build",
            "-G",
            "Ninja",
            "-DCMAKE_BUILD_TYPE=Release",
            f"-DSOURCE={job.work / 'source'}",
            f"-DNAME={name}",
            f"-DKIND={kind}",
            f"-DREAL={job.real}",
            *options,
        ]
    )
    run(["cmake", "--build", job.work / "build"])
    return job.work / "build"


def build_programs(job, name):
    known = job.runtimes.get(job.real)
    folder = build(job, name, "model", [f"-DCAEC_RUNTIME_LIBRARY={known}"] if known else [])
    if not known:
        (compiled,) = folder.rglob("libcaec_runtime.a")
        job.runtimes[job.real] = job.work.parent / f"{job.real}.a"
        shutil.copy(compiled, job.runtimes[job.real])
    return folder


def trained(job, train):
    """Trains in job.work/run. The losses are text, as exact as the trainer writes them."""
    staged = re.search(r"^\s*stages\s*=", job.graph.read_text(), re.M)
    many = STAGED_PICTURES if staged else PICTURES
    run([train, "pictures", "--out", job.work / "many", "--count", many])
    run([train, "pictures", "--out", job.work / "few", "--count", 2])
    run([train, "--train", job.work / "many", "--val", job.work / "few", "--out", job.work / "run",
         "--batch", BATCH, "--steps", STEPS, "--threads", 2])
    header, *lines = (job.work / "run/history.csv").read_text().splitlines()
    keys = header.split(",")
    losses = [dict(zip(keys, line.split(","))) for line in lines]
    found = {"pictures": digest(b"".join(f.read_bytes() for f in pictures(job, "many")))}
    for row in losses:
        for key in ("loss", "val_loss", "lr"):
            found[f"epoch {row['epoch']} {key}"] = row[key]
    for file in ("last", "best"):
        for tensor, value in tensor_digests(job.work / f"run/{file}.safetensors").items():
            found[f"{file} {tensor}"] = value
    return found


def pictures(job, folder):
    return sorted((job.work / folder).glob("*.png"))


def inferred(job, infer, bits):
    weights = job.work / "run/last.safetensors"
    flat = {name: data for name, _, _, data in tensors(weights) if "/" not in name}
    (job.work / "parameters").write_bytes(b"".join(flat[n] for n in run([bits]).split()))
    run([bits, "parameters", *pictures(job, "few")], job.work)
    found = {n: result_digest(job.work / n) for n in ("latent", "output", "decoded")
             if (job.work / n).exists()}
    run([infer, "--weights", weights, "encode", "few", "-o", "z.npy"], job.work)
    run([infer, "--weights", weights, "score", "few", "--csv", "score.csv"], job.work)
    found["program's latent"] = result_digest(job.work / "z.npy")
    for line in (job.work / "score.csv").read_text().splitlines()[1:]:
        path, numbers = line.split(",", 1)
        found[f"program's score of {Path(path).name}"] = numbers
    return found


def program_digests(job):
    folder, name = emitted(job, [])
    if not folder:
        return {"program": name}
    build_folder = build_programs(job, name)
    train = next(build_folder.rglob(f"{name}-train"))
    found = prefixed("train", trained(job, train))
    infer = next(build_folder.rglob(f"{name}-infer"))
    return found | prefixed("infer", inferred(job, infer, build_folder / "bits"))


def prefixed(prefix, found):
    return {f"{prefix} {name}": value for name, value in found.items()}


def drawing(name, shape):
    """Centre and limit of a tensor's numbers: Glorot's for kernels; all channels shall live."""
    if len(shape) == 1:
        return 1 if name.endswith(".gamma") else 0.05, 0.1
    taps = 1
    for side in shape[:-2]:
        taps *= side
    return 0, (6 / (taps * (shape[-2] + shape[-1]))) ** 0.5


def names_header(name, header):
    """bits/names.h, by the table of tensors in the library's header and what that declares."""
    rows, all_count = [], 0
    table = re.findall(r"^ \*     (\w+\.\S+) +(\d+)  (\d[\dx]*)(?:,.*)?$", header, re.M)
    for tensor, offset, sides in table:
        shape, count = [int(side) for side in sides.split("x")], 1
        for side in shape:
            count *= side
        centre, limit = drawing(tensor, shape)
        rows.append(f"    {{ {offset}, {count}, {centre}, {limit:.9g} }},")
        all_count += count
    if not re.search(rf"_PARAMETER_FLOATS +{all_count}\b", header):
        sys.exit(f"bits: {name}.h has not the table of tensors that is looked for:\n{rows}")
    return "\n".join([
        f'#include "{name}.h"',
        f"#define NET(name) {name}_##name",
        f"#define SIZE(name) {name.upper()}_##name",
        f"#define HAS_DECODE {int(f'int {name}_decode(' in header)}",
        f"#define HAS_ROWS {int(f'int {name}_stream_open(' in header)}",
        "static const Tensor tensors[] = {", *rows, "};", ""])


def library_digests(job, options):
    folder, name = emitted(job, ["--emit", "library", *options])
    if not folder:
        return {"refusal": name}
    (job.work / "build").mkdir()
    text = names_header(name, (folder / f"{name}.h").read_text())
    (job.work / "build/names.h").write_text(text)
    bits = build(job, name, "library") / "bits"
    results = job.work / "results"
    results.mkdir()
    run([bits], results)
    return {file.name: result_digest(file) for file in sorted(results.iterdir())}


def job_digests(job):
    return (program_digests(job)
            | prefixed("library", library_digests(job, []))
            | prefixed("stream", library_digests(job, ["--stream"])))


def made_by(caec):
    compiler = run([os.environ.get("CC", "cc"), "--version"]).splitlines()[0]
    processor = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return {"compiler": compiler, "processor": processor.group(1) if processor else "unknown",
            "caec": run([caec, "--version"]).strip()}


def keep(args):
    caec = args.build.resolve() / "bin/caec"
    graphs = [g for g in sorted((args.project / "graphs").glob("*.lua"))
              if fnmatch.fnmatch(g.stem, args.graphs)]
    if not graphs:
        sys.exit(f"bits: no graph {args.graphs} in {args.project / 'graphs'}")
    args.folder.mkdir(parents=True, exist_ok=True)
    digests_write(args.folder / MADE_BY, made_by(caec))
    runtimes = {}
    with tempfile.TemporaryDirectory(prefix="caec-bits-", dir=args.work) as work:
        for real in args.reals.split(","):
            for target in args.targets.split(","):
                for graph in graphs:
                    job = Job(caec, graph.resolve(), target, real, Path(work) / "job", runtimes)
                    digests_write(args.folder / job.name.replace(" ", "-"), job_digests(job))
                    seconds = sum(os.times()[2:4])
                    print(f"{job.name}: kept ({seconds:.0f} s of processor so far)", flush=True)


# ---- compare ----


def differences(before, after):
    """Lines that tell what differs between two files of digests."""
    for name in before | after:
        old, new = before.get(name, "nothing"), after.get(name, "nothing")
        if old != new:
            yield f"{name}: {old} before, {new} after"


def kept_in(folder):
    files = {f.name: digests_read(f) for f in sorted(folder.iterdir()) if not f.suffix}
    return files.pop(MADE_BY, {}), files


def compare(args):
    """What was not kept before has not moved: it is told and does not count."""
    (machine, before), (other, after) = kept_in(args.before), kept_in(args.after)
    if not before:
        sys.exit(f"bits: nothing was kept in {args.before}")
    for line in differences(machine, other):
        print(f"{MADE_BY}: {line}")
    gone, new = before.keys() - after.keys(), after.keys() - before.keys()
    for name in sorted(gone | new):
        print(f"{name}: in {args.before if name in gone else args.after} alone")
    both = sorted(before.keys() & after.keys())
    found = [f"{n}: {line}" for n in both for line in differences(before[n], after[n])]
    print(*found, sep="\n", end="\n" if found else "")
    count = sum(len(before[n]) for n in both)
    print(f"{len(found)} of {count} results in {len(both)} files differ")
    sys.exit(bool(found or gone))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("keep")
    command.set_defaults(call=keep)
    command.add_argument("folder", type=Path)
    command.add_argument("--build", type=Path, required=True, help="holds bin/caec")
    command.add_argument("--project", type=Path, default=PROJECT, help="holds graphs/")
    command.add_argument("--graphs", default="*", help="a pattern of their names")
    command.add_argument("--targets", default=",".join(TARGETS))
    command.add_argument("--reals", default=",".join(REALS))
    command.add_argument("--work", type=Path, help="where the temporary folder is made")
    command = commands.add_parser("compare")
    command.set_defaults(call=compare)
    command.add_argument("before", type=Path)
    command.add_argument("after", type=Path)
    args = parser.parse_args()
    args.call(args)


if __name__ == "__main__":
    main()
