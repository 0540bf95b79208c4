#!/usr/bin/env python3
"""Builds libraries for every target, with this machine's compiler or a cross compiler, as their
folders' README.md say, runs them here or under emulators against the numbers of reference.c, and
measures them.

    python3 tests/targets/run.py --build DIR [--readme README.md | --compare README.md] [TARGET...]

DIR holds caec and target_reference; without TARGET all of them. --readme puts the table between
that file's two marks; --compare holds that table against what was measured, but for the sizes of
code, which depend on the compiler's version. Ends with 1 where a check fails.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
CODE_LIMIT = 64 << 10
STREAM_LIMIT = 256 << 10

# What a library may leave to whoever links it, besides its own names and what its README.md lists
# of the compiler's.
BYTES = {"memcpy", "memset"}


@dataclass
class Target:
    name: str
    tools: str = ""                 # what stands before nm and size
    run: tuple = ()                 # the words before the program
    link: tuple = ()                # for the program with the checks
    sources: tuple = ("hosted.c",)
    # as Clang calls the machine, where the names that it leaves undefined are others
    clang: str = ""
    bare: bool = False              # no system: on a small board


def cortex_m(name, board, large):
    """On one of QEMU's MPS2 boards, whose large memory begins there."""
    return Target(
        name,
        "arm-none-eabi-",
        (
            "qemu-system-arm",
            "-M",
            board,
            "-nographic",
            "-monitor",
            "none",
            "-serial",
            "none",
            "-semihosting-config",
            "enable=on,target=native",
            "-kernel",
        ),
        sources=("bytes.c", "cortex_m.c"),
        link=(
            "-nostdlib",
            f"-Wl,--defsym=large_start={large:#x}",
            "-T",
            str(HERE / "cortex_m.ld"),
            "-lgcc",
        ),
        clang="arm-none-eabi",
        bare=True,
    )


TARGETS = [
    # this machine's, where it has what they need
    Target("x86-64-v4"),
    Target("x86-64-v3"),
    Target("x86-64-v2"),
    Target("c"),
    Target("aarch64", "aarch64-linux-gnu-", ("qemu-aarch64",), link=("-static",)),
    Target(
        "armv7", "arm-linux-gnueabihf-", ("qemu-arm",), link=("-static",), clang="arm-none-eabihf"
    ),
    Target("riscv64", "riscv64-linux-gnu-", ("qemu-riscv64",), link=("-static",)),
    Target(
        "wasm32",
        "llvm-",
        ("node", str(HERE / "wasm.mjs")),
        sources=("bytes.c",),
        link=("-nostdlib", "-Wl,--no-entry", "-Wl,--export=check", "-Wl,--allow-undefined"),
    ),
    cortex_m("cortex-m7", "mps2-an500", large=0x60000000),
    cortex_m("cortex-m4", "mps2-an386", large=0x21000000),
]


@dataclass
class Job:
    name: str
    graph: str
    options: str
    bare: bool | None = None        # on boards alone, or on all but these; None: everywhere
    weights: str = ""               # baked: their type


JOBS = [
    Job("Winograd", "cae32", "", bare=False),
    # training by it needs more than a board's 16 MiB
    Job("Winograd", "cae32", "--no-training", bare=True),
    Job("rows, size", "cae32", "--stream --optimize size"),
    Job("other layers, size", "small", "--optimize size"),
    Job("weights in it", "cae32", "--stream --no-training --optimize size", weights="f32"),
    # kernels whose forms are the weights themselves
    Job("weights in halves", "cae32, halves", "--no-training --optimize size", weights="f16"),
    Job("other layers in halves", "small, halves", "--no-training --optimize size", weights="f16"),
    Job(
        "224x224x3 by rows, weights in it",
        "cae224",
        "--stream --no-training",
        bare=True,
        weights="f32",
    ),
]


def run(words, **more):
    done = subprocess.run(
        [str(w) for w in words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        **more,
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout}\nended with {done.returncode}")
    return done.stdout


class Work:
    """A temporary folder, the programs of the build, the graphs with their references."""

    def __init__(self, build, folder):
        self.caec = build / "bin/caec"
        self.maker = build / "tests/target_reference"
        self.folder = folder
        cae32, cae224, small = self.cae("cae32", 32), self.cae("cae224", 224), HERE / "small.lua"
        self.graphs = {
            "small": (small, 2),
            "cae32": (cae32, 2),
            "cae224": (cae224, 0),
            "small, halves": (small, 0),
            "cae32, halves": (cae32, 0),
        }
        for name, (graph, updates) in self.graphs.items():
            (folder / name).mkdir(exist_ok=True)
            half = ["half"] if name.endswith("halves") else []
            (folder / name / "reference.h").write_text(
                run(
                    [self.maker, graph, updates, folder / name / "weights.safetensors", *half],
                    env=os.environ | {"CAEC": str(self.caec)},
                )
            )

    def cae(self, name, side):
        """graphs/cae.lua for pictures of that side, called net as check.c wants it."""
        text = (PROJECT / "graphs/cae.lua").read_text()
        text, count = re.subn(
            r"input = \{ 224, 224, 3 \}",
            f"input = {{ {side}, {side}, 3 }}",
            text.replace('autoencoder "cae"', 'autoencoder "net"'),
        )
        assert count == 1
        path = self.folder / f"{name}.lua"
        path.write_text(text)
        return path

    def place(self, target):
        """Where one library of a target is written and built after the other, so that CMake looks
        at a compiler once."""
        return self.folder / target.name

    def emit(self, target, graph, options, folder, weights=""):
        shutil.rmtree(folder / "net", ignore_errors=True)
        words = (
            ["--weights", self.folder / graph / "weights.safetensors", "--weights-type", weights]
            if weights
            else []
        )
        run(
            [
                self.caec,
                self.graphs[graph][0],
                "-o",
                folder,
                "--emit",
                "library",
                "--target",
                target.name,
            ]
            + options.split()
            + words
        )
        return folder / "net"


def cmake_words(source):
    """What the folder's README.md tells CMake besides the folders; of two commands the one for
    another machine."""
    return re.findall(
        r"^    cmake -S \. -B build(.*) && cmake --build build",
        (source / "README.md").read_text(),
        re.M,
    )[-1].split()


def compiler_words(source):
    """The compiler that these words name."""
    said = dict(re.findall(r"-D(\w+)=(\S+)", " ".join(cmake_words(source))))
    machine = said.get("CMAKE_C_COMPILER_TARGET")
    return [said.get("CMAKE_C_COMPILER", "cc")] + ([f"--target={machine}"] if machine else [])


def build_library(source, build):
    run(
        [
            "cmake",
            "-S",
            source,
            "-B",
            build,
            "-G",
            "Ninja",
            "-DCMAKE_C_FLAGS=-Werror",
            *cmake_words(source),
        ]
    )
    run(["cmake", "--build", build, "-j", os.cpu_count()])
    return build / "libnet.a"


def target_flags(source):
    """What the folder says of the machine: the caller's code is compiled for the same one."""
    return (
        re.search(r"set\(TARGET_FLAGS ?(.*)\)", (source / "CMakeLists.txt").read_text())
        .group(1)
        .split()
    )


def kernel_flags(source):
    """What the folder says of kernels, whatever the compiler."""
    return (
        re.search(r"set\(KERNEL_FLAGS ([^)]*)\)", (source / "CMakeLists.txt").read_text())
        .group(1)
        .split()
    )


def listed_helpers(source, clang):
    """What the folder's README.md says of the compiler's own functions."""
    lines = re.findall(
        r"^(\w+) .* at most these:\s+(.*)\.$", (source / "README.md").read_text(), re.M
    )
    return {name for first, names in lines if clang or first != "Clang" for name in names.split()}


def check_names(target, source, files, nm, clang=False):
    """No undefined names but those of BYTES and what the folder's README.md lists of the
    compiler's; nothing that changes."""
    allowed = BYTES | listed_helpers(source, clang)
    defined, undefined = set(), set()
    for line in run([nm, *files]).splitlines():
        found = re.match(r"\S* +([A-Za-z]) (\S+)$", line)
        if not found:
            continue
        (undefined if found.group(1) == "U" else defined).add(found.group(2))
        # nm has one letter for all data of WebAssembly
        if found.group(1) in ("BbC" if target.name == "wasm32" else "BbCDdGgSs"):
            sys.exit(f"{target.name}: {found.group(2)} is a variable")
    if target.name == "wasm32":
        # the machine's, not functions
        undefined -= {"__stack_pointer", "__linear_memory", "__indirect_function_table"}
    calls = undefined - defined
    if calls - allowed:
        sys.exit(
            f"{target.name}: calls {' '.join(sorted(calls - allowed))}, which the folder's "
            f"README.md does not say"
        )
    return calls


def check_clang(work, target):
    """The names that the other compiler leaves undefined, of every kind of layer."""
    for graph in ("cae32", "small"):
        for options in ("", "--optimize size", "--stream") if graph == "cae32" else ("",):
            folder = Path(tempfile.mkdtemp(dir=work.folder))
            source = work.emit(target, graph, options, folder)
            files = [f for f in sorted(source.glob("*.c")) if f.name != "example.c"]
            run(
                [
                    "clang",
                    f"--target={target.clang}",
                    *target_flags(source),
                    "-std=c11",
                    "-Os" if "size" in options else "-O3",
                    *kernel_flags(source),
                    "-I",
                    source,
                    "-c",
                    *files,
                ],
                cwd=folder,
            )
            calls = check_names(target, source, sorted(folder.glob("*.o")), "llvm-nm", clang=True)
            print(
                f"{target.name:10} by clang, {graph} {options}: calls "
                f"{' '.join(sorted(calls)) or 'nothing'}",
                flush=True,
            )


def check(work, target, job):
    """Lines of check.c: ({part: largest share of its bound}, seconds)."""
    folder = work.place(target)
    source = work.emit(target, job.graph, job.options, folder, job.weights)
    library = build_library(source, folder / "build")
    check_names(target, source, [library], target.tools + "nm")
    program = folder / "check"
    run(
        [
            *compiler_words(source),
            *target_flags(source),
            *(["-DBAKED"] if job.weights else []),
            "-std=c11",
            "-O2",
            "-ffp-contract=off",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-ffunction-sections",
            "-I",
            source,
            "-I",
            work.folder / job.graph,
            "-I",
            HERE.parent / "support",
            *([] if "hosted.c" in target.sources else ["-ffreestanding"]),
            HERE / "check.c",
            *(HERE / s for s in target.sources),
            library,
            *target.link,
            "-o",
            program,
        ]
    )
    start = time.monotonic()
    said = run([*target.run, program])
    seconds = time.monotonic() - start
    lines = re.findall(r"^(\w+) (\w+) (\d+)e-9 of (\d+)e-9 (\w+)$", said, re.M)
    if (
        len(lines) != len(said.splitlines())
        or not lines
        or any(line[4] != "passed" for line in lines)
    ):
        sys.exit(f"{target.name}, {job.name}:\n{said}")
    shares = {}
    for part, what, got, bound, _ in lines:
        print(
            f"{target.name:10} {job.name:34} {part:9} {what:24} {int(got) / 1e9:.1e}  of "
            f"{int(bound) / 1e9:.0e}  passed"
        )
        shares[part] = max(shares.get(part, 0), int(got) / int(bound))
    print(f"{target.name:10} {job.name:34} {seconds:.1f} s", flush=True)
    return shares


def sections(target, library):
    """Bytes of code with constants, and of variables with values, in all."""
    text = data = 0
    for line in run([target.tools + "size", "-A", library]).splitlines():
        found = re.match(r"\.?(\S+) +(\d+) +\d+$", line)
        if found and re.match(r"text|rodata|CODE|DATA", found.group(1)):
            text += int(found.group(2))
        elif found and re.match(r"data|bss", found.group(1)):
            data += int(found.group(2))
    return text, data


@dataclass
class Measured:
    """The whole network's library."""
    text: int                       # bytes of code with constants
    data: int
    numbers: dict                   # of its header
    calls: set
    compiler: str


def measure(work, target, options):
    folder = work.place(target)
    source = work.emit(target, "cae224", options, folder)
    library = build_library(source, folder / "build")
    text, data = sections(target, library)
    header = dict(re.findall(r"#define NET_(\w+) +(\d+)", (source / "net.h").read_text()))
    numbers = {name: int(value) for name, value in header.items()}
    return Measured(
        text,
        data,
        numbers,
        check_names(target, source, [library], target.tools + "nm"),
        compiler_words(source)[0],
    )


def stream_bytes(work, target):
    """CAE_STREAM_BYTES of the whole network as it is without --optimize size."""
    source = work.emit(target, "cae224", "--stream", Path(tempfile.mkdtemp(dir=work.folder)))
    return int(
        re.search(r"#define NET_STREAM_BYTES +(\d+)", (source / "net.h").read_text()).group(1)
    )


def runs_here(target, native):
    """Whether this machine runs it: under an emulator, or as one that `native` includes."""
    levels = ["x86-64-v2", "x86-64-v3", "x86-64-v4"]
    if target.run or target.name == "c":
        return True
    return native in levels and levels.index(target.name) <= levels.index(native)


def kib(count):
    return f"{count / 1024:,.1f}"


HEAD = [
    "target",
    "built by, run by",
    "inference",
    "training",
    "streaming",
    "code, speed",
    "code, size",
    "code, size, rows alone",
    "data",
    "workspace",
    "training block",
    "stream",
    "stream, size",
]
EXACT = [2, 3, 4, 8, 9, 10, 11, 12]         # columns that no compiler has a say in
MARKS = ("<!-- tests/targets/run.py -->\n", "<!-- end -->\n")


def checks(work, target):
    """Three columns: how many checks of each part passed."""
    parts = {}
    if target.clang:
        check_clang(work, target)
    for job in JOBS:
        if job.bare in (None, target.bare):
            for part, share in check(work, target, job).items():
                parts.setdefault(part, []).append(share)
    return [
        f"passed {len(parts[part])} of {len(parts[part])}"
        for part in ("inference", "training", "streaming")
    ]


def row(work, target, native, speed):
    """Of the README's table, and of the text that is shown. Without `speed` the whole network is
    compiled for size alone: what its code for speed may leave to others is that of the smaller
    network, by the same kernels, and how large it is the compiler has a say in."""
    if not runs_here(target, native):
        print(f"{target.name:10} skipped: this machine is {native}", flush=True)
        return [f"`{target.name}`", "cc, Linux"] + ["skipped"] * 3 + ["-"] * 8
    passed = checks(work, target)
    fast = measure(work, target, "") if speed else None
    small = measure(work, target, "--optimize size")
    rows = measure(work, target, "--optimize size --stream --no-training")
    stream = stream_bytes(work, target)
    for what, m in (("speed", fast), ("size", small), ("size, rows, no training", rows)):
        if not m:
            continue
        print(
            f"{target.name:10} whole cae for {what}: code {m.text}, data {m.data} bytes; calls "
            f"{' '.join(sorted(m.calls)) or 'nothing'}"
        )
        assert m.data == 0, "a library has no variables"
    for m in (small, rows):
        if m.text > CODE_LIMIT:
            sys.exit(f"{target.name}: {m.text} bytes of code, more than {CODE_LIMIT}")
    for needs in (stream, rows.numbers["STREAM_BYTES"]):
        if needs > STREAM_LIMIT:
            sys.exit(f"{target.name}: the stream needs {needs} bytes, more than {STREAM_LIMIT}")
    blocks = [
        small.numbers["WORKSPACE_BYTES"],
        small.numbers["TRAIN_BYTES"],
        stream,
        rows.numbers["STREAM_BYTES"],
    ]
    return [
        f"`{target.name}`",
        f"{small.compiler}, {target.run[0] if target.run else 'Linux'}",
        *passed,
        kib(fast.text) if fast else "-",
        kib(small.text),
        kib(rows.text),
        "0",
        *(f"{bytes:,}" for bytes in blocks),
    ]


def check_list(caec):
    """caec --list targets says where each is tested: that must be here. Returns what `native`
    is."""
    said = run([caec, "--list", "targets"])
    listed = dict(re.findall(r"^(\S+) .* tested: (\S+)", said, re.M))
    here = {t.name: t.run[0] if t.run else "Linux" for t in TARGETS}
    if listed != here:
        sys.exit(f"caec --list targets says {listed}, tested are {here}")
    return re.search(r"^native +here: (\S+)", said, re.M).group(1)


def table(rows):
    lines = [HEAD, ["---"] * 5 + ["---:"] * 8] + rows
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def compare(readme, rows):
    """Ends the program where the table in the file says another thing of these rows."""
    said = [
        line.strip("| ").split(" | ")
        for line in readme.read_text().split(MARKS[0])[1].split(MARKS[1])[0].splitlines()
    ]
    stale = [] if said[0] == HEAD else ["the columns are others"]
    for measured in rows:
        if "skipped" in measured:
            continue
        old = next(
            (line for line in said if line[0] == measured[0] and len(line) == len(HEAD)), None
        )
        stale += (
            [f"{measured[0]} is missing"]
            if not old
            else [
                f"{measured[0]}, {HEAD[i]}: {old[i]}, measured {measured[i]}"
                for i in EXACT
                if old[i] != measured[i]
            ]
        )
    if stale:
        sys.exit(
            f"{readme}: the table is stale; python3 tests/targets/run.py --build DIR --readme "
            f"{readme} writes it anew\n"
            + "\n".join(stale)
        )


def put(readme, text):
    before, rest = readme.read_text().split(MARKS[0])
    _, after = rest.split(MARKS[1])
    readme.write_text(before + MARKS[0] + text + MARKS[1] + after)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--readme", type=Path)
    parser.add_argument("--compare", type=Path)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    args = parser.parse_args()
    known = {t.name: t for t in TARGETS}
    for name in args.targets:
        if name not in known:
            parser.error(f"there is no target {name}; there are {', '.join(known)}")
    native = check_list(args.build / "bin/caec")
    with tempfile.TemporaryDirectory(prefix="caec-targets-") as folder:
        work = Work(args.build.resolve(), Path(folder))
        rows = [
            row(work, known[name], native, speed=not args.compare)
            for name in args.targets or known
        ]
    text = table(rows)
    print("\n" + text)
    if args.readme:
        put(args.readme, text)
    if args.compare:
        compare(args.compare, rows)


main()
