#!/usr/bin/env python3
"""Builds, measures and trains every network of graphs/, one after another, and shows them side by
side.

    python3 tests/bench/graphs.py --build build --train DIR --val DIR --epochs 12 --write
    graphs/README.md --sheet docs/graphs.jpg

Each network starts from seed 1 and learns for the same number of epochs from the same pictures
(without --train, from the built-in ones). The table has its parameters, the size of its latent, the
val_loss at the end, and what `bench` measures. --sheet draws what each makes of built-in pictures
that none has learnt from. Networks of signals learn from the built-in ones and are on no sheet.
Then come the convolutions and dense products with 16 channels or more, in and out, that run below a
quarter of the FMA peak, in any pass: there should be none.

The table goes to standard output, and with --write between the two lines `<!-- graphs.py -->` of a
Markdown file. Needs caec's build folder, CMake, and for --sheet Pillow (Debian: python3-pil).

Exit code: 0 done; 1 a network did not build, train or learn, or a product is slow; 2 bad usage; 3 a
file could not be written.
"""
import argparse
import csv
import glob
import json
import os
import re
import sys

import machine
import programs as room

MARK = "<!-- graphs.py -->"
PICTURES = 6                # columns of the sheet
# what counts as a slow product: from so many channels on, below this share of the peak
CHANNELS, SHARE = 16, 0.25


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--build", default="build", help="build folder with bin/caec (%(default)s)")
    parser.add_argument("--out", help="folder of programs and runs, kept (BUILD/graphs)")
    parser.add_argument("--train", metavar="DIR", help="pictures to learn from (built-in ones)")
    parser.add_argument("--val", metavar="DIR", help="pictures to measure val_loss on")
    parser.add_argument("--epochs", type=int, default=12, help="(%(default)s)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="(one a processor)")
    parser.add_argument("--only", metavar="NAME,...", help="only these networks")
    parser.add_argument("--write", metavar="FILE", help="put the table into this Markdown file")
    parser.add_argument("--sheet", metavar="JPG|PNG", help="draw reconstructions")
    parser.add_argument(
        "--below", type=float, metavar="LOSS", help="fail unless every val_loss is below"
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="what an earlier call with the same --out found of a network is not found again",
    )
    options = parser.parse_args()
    if bool(options.train) != bool(options.val):
        parser.error("--train and --val belong together")
    options.build = os.path.abspath(options.build)
    options.out = os.path.abspath(options.out or os.path.join(options.build, "graphs"))
    return options


def say(text):
    print(text, file=sys.stderr, flush=True)


class Network:
    """One graph file, and what is found out about it."""

    def __init__(self, path, options):
        self.path, self.options = path, options
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.folder = os.path.join(options.out, self.name)
        self.train, self.infer = (
            os.path.join(self.folder, "build", self.name + "-" + kind)
            for kind in ("train", "infer")
        )
        self.run = os.path.join(self.folder, "run")
        self.found = {}             # epochs, val_loss; bench, latency_ms, slow: kept in result.json

    def build(self):
        caec = os.path.join(self.options.build, "bin", "caec")
        library = os.path.join(self.options.build, "lib", "libcaec_runtime_float.a")
        room.run([caec, self.path, "-o", self.folder, "--no-runtime"])
        room.run(
            [
                "cmake",
                "-S",
                os.path.join(self.folder, self.name),
                "-B",
                os.path.dirname(self.train),
                "-DCAEC_RUNTIME=" + os.path.join(room.PROJECT, "runtime"),
                "-DCAEC_RUNTIME_LIBRARY=" + library,
            ]
        )
        room.run(["cmake", "--build", os.path.dirname(self.train)])
        found = re.search(
            r"^\w+: (\S+) -> (\S+) -> \S+, ([\d,]+) parameters$",
            room.run([caec, self.path, "--summary"]),
            re.M,
        )
        self.input, self.latent, self.parameters = found.groups()
        self.signals = self.input.startswith("1x")      # which are no pictures
        self.shapes = {
            name: [int(n) for n in shape.split("x")]
            for name, shape in re.findall(
                r"^(\S+)\.kernel = parameter : (\S+)",
                room.run([caec, self.path, "--dump", "load"]),
                re.M,
            )
        }

    def measure(self):
        bench = room.run_json(
            [self.train, "bench", "--json", "--threads", str(self.options.threads)]
        )
        infer = room.run_json([self.infer, "bench", "--json", "--threads", "1"])
        slow = []
        for step in bench["layers"] + infer["layers"]:
            percent, shape = step["percent_of_peak"], self.shapes.get(step["layer"])
            if percent and shape and min(shape[-2:]) >= CHANNELS and percent < 100 * SHARE:
                slow.append(
                    "%s of %s by %s: %.0f %% of the FMA peak"
                    % (step["pass"], step["layer"], step["kernel"], percent)
                )
        self.found.update(bench=bench, latency_ms=infer["latency_ms_1_thread"], slow=slow)

    def learn(self):
        command = [
            self.train,
            "--epochs",
            str(self.options.epochs),
            "--seed",
            "1",
            "--threads",
            str(self.options.threads),
            "--out",
            self.run,
        ]
        if self.options.train and not self.signals:
            command += ["--train", self.options.train, "--val", self.options.val]
        room.run(command, seconds=4 * 3600)
        with open(os.path.join(self.run, "history.csv"), newline="", encoding="ascii") as table:
            self.found.update(
                epochs=self.options.epochs,
                val_loss=float(list(csv.DictReader(table))[-1]["val_loss"]),
            )

    def keep(self):
        with open(os.path.join(self.folder, "result.json"), "w", encoding="ascii") as file:
            json.dump(self.found, file, indent=2)

    def recall(self):
        """What an earlier call found; a loss after another number of epochs does not count."""
        path = os.path.join(self.folder, "result.json")
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                self.found = json.load(file)
        if self.found.get("epochs") != self.options.epochs:
            self.found.pop("val_loss", None)

    def loss(self):
        return "%.4f" % self.found["val_loss"] if "val_loss" in self.found else "-"

    def row(self):
        cells = [
            "[%s](%s)" % (self.name, os.path.basename(self.path)),
            self.parameters,
            self.latent,
            self.loss(),
            "%.0f" % self.found["bench"]["images_per_second"],
            "%.0f" % self.found["bench"]["peak_rss_mb"],
            "%.2f" % self.found["latency_ms"],
        ]
        return "| %s |" % " | ".join(cells)


def table(networks, options):
    heads = [
        "graph",
        "parameters",
        "latent",
        "val_loss",
        "training, images/s",
        "training, MiB",
        "one image, 1 thread, ms",
    ]
    pictures = "the photographs" if options.train else "the built-in pictures"
    lines = ["| %s |" % " | ".join(heads), "|%s" % ("---|" + "---|" + "---|" + "---:|" * 4)]
    lines += [network.row() for network in networks]
    lines += [
        "",
        "%d epochs of %s, batch 64, seed 1; %d threads; %s."
        % (options.epochs, pictures, options.threads, machine.line(machine.describe())),
    ]
    return "\n".join(lines) + "\n"


def write(path, text):
    with open(path, encoding="utf-8") as file:
        parts = file.read().split(MARK)
    if len(parts) != 3:
        raise room.Failure("%s: two lines %s are wanted around the table" % (path, MARK))
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.write(MARK.join([parts[0], "\n" + text, parts[2]]))
    os.replace(path + ".part", path)


def reconstructions(network, options):
    """The originals and what the network makes of them: two lists of pictures. `reconstruct` lays
    the ones above the others."""
    from PIL import Image
    folder, sheet = os.path.join(network.folder, "pictures"), os.path.join(
        network.folder, "sheet.png"
    )
    room.run([network.train, "pictures", "--out", folder, "--count", str(PICTURES), "--seed", "7"])
    files = sorted(glob.glob(os.path.join(folder, "*")))[:PICTURES]
    height, width = (int(n) for n in network.input.split("x")[:2])
    rows = [[], []]
    for file in files:
        room.run(
            [
                network.infer,
                "reconstruct",
                file,
                "-o",
                sheet,
                "--weights",
                os.path.join(network.run, "best.safetensors"),
                "--threads",
                str(options.threads),
            ]
        )
        both = Image.open(sheet).convert("RGB")
        for number, row in enumerate(rows):
            row.append(
                both.crop(
                    (
                        0,
                        both.height - height if number else 0,
                        width,
                        both.height if number else height,
                    )
                )
            )
    return rows


def draw(networks, options):
    """A row a network, with its name and val_loss; the pictures themselves above."""
    from PIL import Image, ImageDraw, ImageFont
    size, gap, label = 112, 6, 150
    shown = [(network, reconstructions(network, options)) for network in networks
             if not network.signals]
    original = next(
        (rows[0] for network, rows in shown if network.input == "224x224x3"), shown[0][1][0]
    )
    sheet = Image.new(
        "RGB", (label + PICTURES * (size + gap), (len(shown) + 1) * (size + gap) + gap), "white"
    )
    pen = ImageDraw.Draw(sheet)
    try:
        font = ImageFont.truetype("DejaVuSans.ttf", 14)
    except OSError:
        font = ImageFont.load_default()
    rows = [("the pictures", "", original)] + [
        (n.name, "val_loss " + n.loss(), r[1]) for n, r in shown
    ]
    for i, (name, loss, pictures) in enumerate(rows):
        y = gap + i * (size + gap)
        pen.text((8, y + size // 2 - 18), name, "black", font)
        pen.text((8, y + size // 2 + 2), loss, "#64748b", font)
        for k, picture in enumerate(pictures):
            way = Image.LANCZOS if picture.width > size else Image.NEAREST
            sheet.paste(picture.resize((size, size), way), (label + k * (size + gap), y))
    sheet.save(options.sheet, optimize=True, quality=85)


def work(options):
    only = options.only.split(",") if options.only else None
    networks = [
        Network(path, options)
        for path in sorted(glob.glob(os.path.join(room.PROJECT, "graphs", "*.lua")))
    ]
    networks = [network for network in networks if not only or network.name in only]
    os.makedirs(options.out, exist_ok=True)
    for network in networks:
        say(network.name)
        network.build()
        if options.keep:
            network.recall()
        if "bench" not in network.found:
            network.measure()
        if options.epochs > 0 and "val_loss" not in network.found:
            network.learn()
        network.keep()
        say("  val_loss " + network.loss())
    text = table(networks, options)
    print(text, end="")
    if options.write:
        write(options.write, text)
    if options.sheet:
        draw(networks, options)
    faults = [
        "%s: %s" % (network.name, slow) for network in networks for slow in network.found["slow"]
    ]
    faults += [
        "%s: val_loss %s is not below %g" % (network.name, network.loss(), options.below)
        for network in networks
        if options.below and not network.found.get("val_loss", 0) < options.below
    ]
    for fault in faults:
        say("graphs.py: " + fault)
    return 1 if faults else 0


def main():
    options = read_options()
    try:
        return work(options)
    except room.Failure as failure:
        say("graphs.py: %s" % failure)
        return 1
    except OSError as error:
        say("graphs.py: %s" % error)
        return 3


if __name__ == "__main__":
    sys.exit(main())
