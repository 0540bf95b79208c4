"""What compare.py measures: our programs and the peers, which of them are here, and one round of
each.

A round of a program is a dictionary of figures, with whatever of these it can give:
    train_images_per_second, train_ms_per_step, train_peak_mib, train_images_per_second_1_thread,
    forward_images_per_second, latency_ms_1_thread, latency_ms, infer_peak_mib,
    effective_gflops, fma_peak_gflops       ours alone; the peak was measured in the same process
    pictures_images_per_second, made_up_images_per_second      ours alone: photographs from
        disk, from the second epoch on, and `bench` before and after them; both are pictures over
        time, since the clock of an epoch counts slow updates too
"""
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DEBIAN_PYTHON = "/usr/bin/python3"       # the one that python3-torch is installed for
PROJECT = os.path.dirname(os.path.dirname(HERE))
# What bench.json calls them, and what the tables do until a framework has told its version.
NAMES = {
    "caec": "caec",
    "pytorch-debian": "PyTorch",
    "pytorch": "PyTorch",
    "pytorch-compile": "PyTorch",
    "keras": "Keras",
    "onnxruntime": "ONNX Runtime",
    "caec-avx2": "caec",
    "pytorch-debian-avx2": "PyTorch",
    "pytorch-avx2": "PyTorch",
}
MAX_SECONDS = 900      # of one process: torch.compile on a busy machine takes minutes

# PyTorch computes with its own vector code, oneDNN and MKL; each is told by itself. DNNL_ is the
# name that older oneDNN knows.
AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}


class Failure(Exception):
    """A program that is here did not do its work; the text says which and why."""


def run(command, environment=None, seconds=MAX_SECONDS):
    """The standard output of a command; Failure with the end of its standard error otherwise."""
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except OSError as error:
        raise Failure("%s: %s" % (command[0], error.strerror)) from error
    except subprocess.TimeoutExpired as error:
        raise Failure("%s: no end after %d seconds" % (" ".join(command), seconds)) from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise Failure("%s: exit %d: %s" % (" ".join(command), done.returncode, said))
    return done.stdout


def run_json(command, environment=None):
    """As run, for programs that print one JSON object, perhaps after lines of another kind."""
    text = run(command, environment)
    try:
        return json.loads(text[text.index("{"):])
    except ValueError as error:
        raise Failure("%s: printed no JSON object" % " ".join(command)) from error


class Program:
    """Fields: key (stable, for bench.json), label, group ("" or "AVX2"), ours, missing (why it is
    not here, or None), failed (the first failure, or None), parameters (their number, None
    unknown), rounds (the figures of each)."""

    def __init__(self, key, group, ours):
        self.key, self.label, self.group, self.ours = key, NAMES[key], group, ours
        self.missing = self.failed = self.parameters = None
        self.rounds = []


class Ours(Program):
    """cae-train and cae-infer in the folder `bin`."""

    def __init__(self, key, group, bin_folder):
        super().__init__(key, group, True)
        self.train = os.path.join(bin_folder, "cae-train")
        self.infer = os.path.join(bin_folder, "cae-infer")

    def look(self, options):
        del options
        totals = [
            line
            for line in run([self.train, "summary"]).splitlines()
            if line.startswith("Total params:")
        ]
        self.parameters = sum(int(line.split(":")[1].replace(",", "")) for line in totals)

    def measure(self, options):
        def bench(program, threads, *more):
            return run_json([program, "bench", "--json", "--threads", str(threads), *more])

        train_options = ("--batch", str(options.batch), "--steps", str(options.steps))
        train = bench(self.train, options.threads, *train_options)
        infer = bench(self.infer, options.threads)
        self.label = "caec, %s" % infer["target"]
        figures = {
            "train_images_per_second": train["images_per_second"],
            "train_ms_per_step": train["ms_per_step"],
            "train_peak_mib": train["peak_rss_mb"],
            "effective_gflops": train["effective_gflops"],
            "fma_peak_gflops": train["fma_peak_gflops"],
            "forward_images_per_second": infer["images_per_second"],
            "latency_ms_1_thread": infer["latency_ms_1_thread"],
            "latency_ms": infer["latency_ms"],
            "infer_peak_mib": infer["peak_rss_mb"],
        }
        if not self.group and options.threads > 1:
            figures["train_images_per_second_1_thread"] = bench(self.train, 1, *train_options)[
                "images_per_second"
            ]
        if not self.group and options.pictures:
            figures.update(self.photographs(options, bench))
        return figures

    def photographs(self, options, bench):
        """The figures of options.pictures and of made-up data, about as long before as after."""
        def made_up():
            mean = bench(
                self.train, options.threads, "--batch", str(options.batch), "--steps", "27"
            )["mean_ms_per_step"]
            return options.batch * 1e3 / mean

        before, pictures, after = made_up(), self.later_epochs(options), made_up()
        return {
            "pictures_images_per_second": pictures,
            "made_up_images_per_second": 2 / (1 / before + 1 / after),
        }

    def later_epochs(self, options):
        """Images a second on options.pictures in the three epochs after the first, which also
        decodes or waits for the disk."""
        with tempfile.TemporaryDirectory(dir=options.out) as folder:
            out = os.path.join(folder, "run")
            run(
                [
                    self.train,
                    "--train",
                    options.pictures,
                    "--epochs",
                    "4",
                    "--batch",
                    str(options.batch),
                    "--threads",
                    str(options.threads),
                    "--out",
                    out,
                ]
            )
            with open(os.path.join(out, "history.csv"), newline="", encoding="ascii") as table:
                return statistics.harmonic_mean(
                    [float(row["images_per_second"]) for row in list(csv.DictReader(table))[1:]]
                )


class Peer(Program):
    """A peer_*.py under a Python that has its framework."""

    def __init__(self, key, python, script, arguments=(), group=""):
        super().__init__(key, group, False)
        self.command = [python, os.path.join(HERE, script), *arguments]
        self.environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", **(AVX2 if group else {}))
        self.trains = script != "peer_onnxruntime.py"

    def look(self, options):
        """Sets the label, or missing where the framework cannot be loaded."""
        # What torch.compile makes is kept between the rounds, as it would be between two runs of a
        # user.
        self.environment["TORCHINDUCTOR_CACHE_DIR"] = os.path.join(options.out, "inductor")
        compiles = "--compile" in self.command
        if not shutil.which(self.command[0]):
            self.missing = "no " + self.command[0]
        elif compiles and not shutil.which("g++"):
            self.missing = "torch.compile needs g++"
        else:
            try:
                self.label = (
                    run(self.command + ["--version"], self.environment).strip().splitlines()[-1]
                )
            except Failure as failure:
                self.missing = str(failure).rsplit(": ", 1)[-1]
        self.label += (", torch.compile" if compiles else "") + (
            " (Debian)" if self.command[0] == DEBIAN_PYTHON else ""
        )

    def measure(self, options):
        def task(tasks, threads):
            return run_json(
                self.command
                + [
                    "--tasks",
                    tasks,
                    "--threads",
                    str(threads),
                    "--batch",
                    str(options.batch),
                    "--steps",
                    str(options.steps),
                ],
                self.environment,
            )

        figures = {}
        if self.trains:
            train = task("train", options.threads)
            self.parameters = train["parameters"]
            figures = {
                "train_images_per_second": train["images_per_second"],
                "train_ms_per_step": train["ms_per_step"],
                "train_peak_mib": train["peak_rss_mb"],
            }
        infer = task("forward,latency", options.threads)
        one = task("latency", 1) if options.threads > 1 else infer
        figures.update(
            forward_images_per_second=infer["forward_images_per_second"],
            latency_ms=infer["latency_ms"],
            latency_ms_1_thread=one["latency_ms"],
            infer_peak_mib=infer["peak_rss_mb"],
        )
        return figures


def build_avx2(options):
    """Compiles graphs/cae.lua for x86-64-v3 with the build's compiler; the folder of the two
    programs."""
    folder = os.path.join(options.out, "x86-64-v3")
    build = os.path.join(folder, "build")
    run(
        [
            os.path.join(options.build, "bin", "caec"),
            os.path.join(PROJECT, "graphs", "cae.lua"),
            "-o",
            folder,
            "--target",
            "x86-64-v3",
        ]
    )
    run(["cmake", "-S", os.path.join(folder, "cae"), "-B", build, "-DCMAKE_BUILD_TYPE=Release"])
    run(["cmake", "--build", build, "--parallel"])
    return build


def export_onnx(options, exporters):
    """Writes the network as ONNX files with the first PyTorch that can; whether there are such
    files now."""
    folder = os.path.join(options.out, "onnx")
    for exporter in exporters:
        if exporter.missing:
            continue
        try:
            run(
                exporter.command + ["--export", folder, "--batch", str(options.batch)],
                exporter.environment,
            )
            return True
        except Failure as failure:
            print("compare.py: %s" % failure, file=sys.stderr)
    return False


def gather(options):
    """All programs in the order of the tables, each looked at once."""
    def python(name):
        return os.path.join(options.peers, name, "bin", "python")

    debian = Peer("pytorch-debian", DEBIAN_PYTHON, "peer_torch.py")
    pytorch = Peer("pytorch", python("torch"), "peer_torch.py")
    onnx = Peer(
        "onnxruntime",
        python("onnxruntime"),
        "peer_onnxruntime.py",
        ["--models", os.path.join(options.out, "onnx")],
    )
    programs = [Ours("caec", "", os.path.join(options.build, "bin")), debian, pytorch,
                Peer("pytorch-compile", python("torch"), "peer_torch.py", ["--compile"]),
                Peer("keras", python("keras"), "peer_keras.py"), onnx]
    if options.avx2:
        programs += [Ours("caec-avx2", "AVX2", build_avx2(options)),
                     Peer("pytorch-debian-avx2", DEBIAN_PYTHON, "peer_torch.py", group="AVX2"),
                     Peer("pytorch-avx2", python("torch"), "peer_torch.py", group="AVX2")]
    programs = [p for p in programs if not options.only or p.key in options.only or p.ours]
    for program in programs:
        program.look(options)
    if onnx in programs and not onnx.missing:
        for exporter in (debian, pytorch):
            if exporter not in programs:
                exporter.look(options)
        if not export_onnx(options, (debian, pytorch)):
            onnx.missing = "no PyTorch that exports the network to it"
    return programs
