#!/usr/bin/env python3
"""Measures caec's programs of graphs/cae.lua against other frameworks: the same network, on one
machine, in one run, with the same threads.

    python3 tests/bench/compare.py --build build --rounds 3 --out build/bench

The programs take turns (A B C ... A B C ...), so that a machine that grows slower or faster does so
for all; a figure is the median of its rounds. Peers are installed by tests/bench/peers.sh; one that
is missing is reported as not here. All train by Adam (eps 1e-7) on the mean squared error, in
float32. Written to --out: bench.txt, bench.md, bench.svg, and bench.json with every round. Needs
nothing but Python's standard library.

Exit code: 0 done; 1 a program that is here failed, has another number of parameters, or missed
--at-least; 2 bad usage; 3 a file could not be written; 77 --at-least was given and no peer that
trains is here.
"""
import argparse
import json
import os
import statistics
import sys

sys.dont_write_bytecode = True      # this folder is the project's, not a place for caches
import chart
import machine
import programs as room
import report

NOTHING_COMPARED = 77       # what ctest takes for skipped


def read_options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--build",
        default="build",
        help="build folder with bin/caec, bin/cae-train, bin/cae-infer (%(default)s)",
    )
    parser.add_argument("--out", help="folder of the results (BUILD/bench)")
    parser.add_argument("--peers", help="folder that peers.sh filled (BUILD/bench-venv)")
    parser.add_argument("--rounds", type=int, default=3, help="(%(default)s)")
    parser.add_argument(
        "--threads",
        type=int,
        default=len(os.sched_getaffinity(0)),
        help="of every program (one a processor)",
    )
    parser.add_argument("--batch", type=int, default=64, help="pictures an update (%(default)s)")
    parser.add_argument(
        "--steps", type=int, default=5, help="updates a round, after warm-ups (%(default)s)"
    )
    parser.add_argument(
        "--avx2", action="store_true", help="also caec for x86-64-v3 against PyTorch held to AVX2"
    )
    parser.add_argument(
        "--pictures",
        metavar="DIR",
        help="also train on these photographs and compare with made-up data",
    )
    parser.add_argument(
        "--only", metavar="NAME,...", help="of the peers only these (names as in bench.json)"
    )
    parser.add_argument(
        "--at-least",
        type=float,
        metavar="X",
        help="fail unless caec trains X times as fast as the fastest peer of its group",
    )
    options = parser.parse_args()
    if min(options.rounds, options.threads, options.batch, options.steps) < 1:
        parser.error("--rounds, --threads, --batch and --steps are 1 or more")
    options.build = os.path.abspath(options.build)
    options.out = os.path.abspath(options.out or os.path.join(options.build, "bench"))
    options.peers = os.path.abspath(options.peers or os.path.join(options.build, "bench-venv"))
    options.only = options.only.split(",") if options.only else []
    unknown = [name for name in options.only if name not in room.NAMES]
    if unknown:
        parser.error("--only %s: there are %s" % (unknown[0], ", ".join(room.NAMES)))
    return options


def say(text):
    print(text, file=sys.stderr, flush=True)


def measure(programs, options):
    """Fills in the rounds of all programs. One that failed once is not tried again."""
    for number in range(1, options.rounds + 1):
        for program in programs:
            if program.missing or program.failed:
                continue
            say(
                "round %d of %d: %s%s"
                % (number, options.rounds, program.label, " (AVX2)" if program.group else "")
            )
            try:
                program.rounds.append(program.measure(options))
            except room.Failure as failure:
                program.failed = str(failure)
                say("  failed: " + program.failed)


def medians(program):
    keys = program.rounds[0] if program.rounds else ()
    return {
        key: statistics.median(figures[key] for figures in program.rounds if key in figures)
        for key in keys
    }


def gather_results(programs, options, here):
    """The object of bench.json, which the tables and the chart are made of; `here` is
    machine.describe()'s."""
    rows = [
        {
            "name": p.key,
            "label": p.label,
            "group": p.group,
            "ours": p.ours,
            "missing": p.missing,
            "failed": p.failed,
            "parameters": p.parameters,
            "median": medians(p),
            "rounds": p.rounds,
        }
        for p in programs
    ]
    return {
        "machine": here,
        "threads": options.threads,
        "batch": options.batch,
        "steps": options.steps,
        "rounds": options.rounds,
        "programs": rows,
        "ratios": report.ratios(rows),
    }


def find_faults(result, at_least):
    """What must not be: sentences, none where all is well."""
    rows = result["programs"]
    faults = ["%s: %s" % (row["label"], row["failed"]) for row in rows if row["failed"]]
    count = rows[0]["parameters"]
    faults += [
        "%s has %d parameters and caec %d: these are two networks"
        % (row["label"], row["parameters"], count)
        for row in rows
        if row["parameters"] not in (None, count)
    ]
    for row in rows if at_least else ():
        ratio = report.ratio_to_ours(row, rows)
        if not row["ours"] and ratio and ratio * at_least > 1:
            faults.append("caec%s trains %.2f times as fast as %s; wanted: %g" % (
                " (AVX2)" if row["group"] else "", 1 / ratio, row["label"], at_least))
    return faults


def save(folder, name, text):
    path = os.path.join(folder, name)
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".part", path)


def main():
    options = read_options()
    try:
        os.makedirs(options.out, exist_ok=True)
        programs = room.gather(options)
        here = machine.describe()
        measure(programs, options)
        result = gather_results(programs, options, here)
        save(options.out, "bench.json", json.dumps(result, indent=2) + "\n")
        save(options.out, "bench.txt", report.text(result))
        save(options.out, "bench.md", report.markdown(result))
        save(options.out, "bench.svg", chart.svg(result))
    except room.Failure as failure:
        say("compare.py: %s" % failure)
        return 1
    except OSError as error:
        say("compare.py: %s" % error)
        return 3
    print(report.text(result), end="")
    print("\nWritten: bench.txt, bench.md, bench.svg and bench.json in %s" % options.out)
    faults = find_faults(result, options.at_least)
    for fault in faults:
        say("compare.py: " + fault)
    if faults:
        return 1
    if options.at_least and not any(result["ratios"]["over_caec"].values()):
        say(
            "compare.py: no peer that trains is here, so --at-least compared nothing; sh "
            "tests/bench/peers.sh installs them"
        )
        return NOTHING_COMPARED
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
