#!/usr/bin/env python3
"""Mutation testing of what differentiates and plans: breaks one line at a time and asks whether a
test notices.

    tests/mutate.py [--count 120] [--seed 1] [--file compiler/program/memory.c ...] [--keep FOLDER]
    [--jobs 2] [--rows 5]

Works on a copy of the tree in FOLDER (default build-mutate), never on the sources themselves. A
mutant is one small change of one line: an operator, a number by one, a negated condition, a
statement left out. One that does not compile is replaced by another. The quickest tests see all
mutants, the others, those of its file first, those that got so far. Prints a line a mutant, and the
sum; what survives and is known to change nothing that a test could see stands in tests/mutants.txt
with the reason. Exits with 1 where fewer than 95 % of the others were killed.
"""
import argparse, pathlib, random, re, resource, shutil, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLACES = ["compiler/passes/*.c", "compiler/program/*.c", "compiler/budget/*.c",
          "compiler/ops/*.c"]

# (pattern, replacement): each place where a pattern matches in a line is a mutant.
SWAPS = [
    (r" \+ ", " - "),
    (r" - ", " + "),
    (r" \* ", " + "),
    (r" / ", " * "),
    (r" < ", " <= "),
    (r" <= ", " < "),
    (r" > ", " >= "),
    (r" >= ", " > "),
    (r" == ", " != "),
    (r" != ", " == "),
    (r" && ", " || "),
    (r" \|\| ", " && "),
    (r" \+= ", " -= "),
    (r"\btrue\b", "false"),
    (r"\bfalse\b", "true"),
    (r"\b0\b(?![.x])", "1"),
    (r"(?<![\w.\"])([1-9])\b(?![.x\"])", None),
    (r"\bif \((?!!)", "if (!"),
    (r" \? ", " ? 0 * "),
    (r"!(?=[a-z(])", ""),
]

# Programs, quickest finds first; a mutant that passes one line goes on to the next.
TESTS = [
    "golden_golden passes_(dump|chosen|memory) errors_command",
    "golden_text passes_.* errors_(model|arguments|convolutions|references|stages)",
    "ops_.*_double library_stream library_stream_memory library_alone",
    "kernels_.*_double reference_nets_double",
    "training_limit_.*double whole_(dense|branches|stages)",
]

# The tests of a file's own, between the first and the second line.
RELATED = {
    "tuning": "passes_tuned",
    "stream": "library_stream library_stream_memory",
    "limit": "training_limit_.*double",
    "search": "training_limit_.*double",
    "candidates": "training_limit_.*double",
    "draft": "training_limit_.*double",
    "variants": "training_limit_.*double",
    "savings": "training_limit_.*double passes_check",
    "checker": "passes_check",
    "check": "passes_check",
    "check_lives": "passes_check",
    "check_values": "passes_check",
    "check_calls": "passes_check",
    "check_stream": "passes_check",
    "memory": "passes_branches library_alone",
    "print": "passes_dump passes_branches",
    "fold": "ops_upsample2d_double",
    "differentiate": "ops_branches_double ops_stages_double",
    "fuse": "golden_text ops_dense_double",
    "microbatch": "golden_text ops_dense_double",
    "stages": "ops_stages_double",
    "turn": "passes_dump",
    "split_inference": "ops_noise_double",
    "commute": "ops_max_pool2d_double",
    "drop": "passes_dump",
    "mse": "ops_mse_double",
    "mae": "ops_mae_double",
    "bce": "ops_bce_double",
}


def related(path):
    """One line of tests."""
    name = pathlib.Path(path).stem
    return RELATED.get(name, f"ops_{name}_double" if "/ops/" in path else "golden_text")


def gradient_lines(text):
    """The lines of an operator's file that derive its gradient: its functions with 'gradient' in
    their names."""
    lines, inside = set(), False
    for number, line in enumerate(text, 1):
        if re.match(r"^static .*gradient.*\(", line) or re.match(r"^\w.*gradient\w*\(", line):
            inside = True
        if inside:
            lines.add(number)
        if line.startswith("}"):
            inside = False
    return lines


def mutants_of(path):
    """(line number, new line) of every mutant of a file."""
    text = (ROOT / path).read_text().splitlines()
    wanted = gradient_lines(text) if "/ops/" in path else set(range(1, len(text) + 1))
    depth, found = 0, []
    for number, line in enumerate(text, 1):
        inside = depth > 0
        depth += line.count("{") - line.count("}")
        code = line.split("/*")[0]
        if (
            number not in wanted
            or not inside
            or not code.strip()
            or code.strip().startswith(("*", "#", "static const", "bug(", "fail("))
        ):
            continue
        if "text_add(" in code or '"' in code and "strcmp" not in code:      # words of a dump
            continue
        # room to spare changes nothing
        if "ARENA_ARRAY(" in code or re.match(r"^\s+(const )?char \w+\[", code):
            continue
        for pattern, new in SWAPS:
            for match in re.finditer(pattern, code):
                swap = new if new is not None else str(int(match.group(1)) + 1)
                if pattern.startswith(r"\bif"):
                    changed = re.sub(r"\bif \((.*)\)(\s*\{?)$", r"if (!(\1))\2", code)
                else:
                    changed = code[:match.start()] + swap + code[match.end():]
                if changed != code:
                    found.append((number, changed))
        if re.match(r"^\s+[\w>.\[\]()*-]+ (=|\+=|\|=) .*;$|^\s+\w+\(.*\);$", code) and not re.match(
            r"^\s+(const |int |bool |double |size_t |return)", code
        ):
            found.append((number, re.match(r"^\s*", code).group() + ";"))
    return [(path, number, new) for number, new in dict.fromkeys(found)]


def bounded():
    """An endless loop of a mutant ends soon, and takes no machine with it."""
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))


def run(words, folder, seconds):
    try:
        return subprocess.run(
            words,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            preexec_fn=bounded,
        ).returncode
    except subprocess.TimeoutExpired:
        return "timeout"


class Copy:
    def __init__(self, folder, jobs, rows):
        self.folder, self.jobs, self.rows = folder, jobs, rows
        if not folder.exists():
            shutil.copytree(
                ROOT, folder, ignore=shutil.ignore_patterns("build*", ".git", "runs", "demo")
            )
        for place in ["compiler", "runtime", "tests", "graphs", "generated", "cmake"]:
            shutil.copytree(
                ROOT / place, folder / place, dirs_exist_ok=True, copy_function=self.refresh
            )
        subprocess.run(
            [
                "cmake",
                "-S",
                ".",
                "-B",
                "build",
                "-G",
                "Ninja",
                "-DCAEC_TESTS=ON",
                "--log-level=WARNING",
            ],
            cwd=folder,
            check=True,
        )
        self.names = subprocess.run(
            ["ctest", "--test-dir", "build", "-N"],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        self.names = list(dict.fromkeys(re.findall(r"Test +#\d+: (\w+)", self.names)))
        wanted = [
            name
            for row in rows + list(RELATED.values()) + ["ops_.*_double golden_text"]
            for name in self.matching(row)
        ]
        subprocess.run(
            ["cmake", "--build", "build", "-j", str(jobs), "--target"] + wanted,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    @staticmethod
    def refresh(source, target):
        if (
            not pathlib.Path(target).exists()
            or pathlib.Path(source).read_bytes() != pathlib.Path(target).read_bytes()
        ):
            shutil.copyfile(source, target)

    def matching(self, row):
        return [
            name for pattern in row.split() for name in self.names if re.fullmatch(pattern, name)
        ]

    def compile(self, row):
        """The compiler, and those tests that hold it inside them."""
        inside = [name for name in self.matching(row) if name.startswith(("passes", "unit"))]
        whole = [name for name in self.matching(row) if name.startswith("whole")]
        return run(
            ["cmake", "--build", "build", "-j", str(self.jobs), "--target", "caec"]
            + inside
            + whole,
            self.folder,
            1200,
        )

    def kills(self, row):
        pattern = "^(" + "|".join(self.matching(row)) + ")$"
        return (
            run(
                [
                    "ctest",
                    "--test-dir",
                    "build",
                    "-R",
                    pattern,
                    "-j",
                    str(self.jobs),
                    "--stop-on-failure",
                    "--timeout",
                    "240",
                ],
                self.folder,
                3000,
            )
            != 0
        )


def judge(copy, mutant, row):
    """'killed', 'survived', or None where the mutant is no program."""
    path, number, new = mutant
    target = copy.folder / path
    text = (ROOT / path).read_text().splitlines(keepends=True)
    text[number - 1] = new.rstrip("\n") + "\n"
    target.write_text("".join(text))
    try:
        if (
            run(
                ["cmake", "--build", "build", "-j", str(copy.jobs), "--target", "caec"],
                copy.folder,
                600,
            )
            != 0
        ):
            return None
        return "killed" if copy.compile(row) != 0 or copy.kills(row) else "survived"
    finally:
        shutil.copyfile(ROOT / path, target)


def old_line(mutant):
    return (ROOT / mutant[0]).read_text().splitlines()[mutant[1] - 1].strip()


def known_equivalents():
    """(file, line, mutant) -> the reason why nothing changes, from tests/mutants.txt."""
    rows = {}
    for line in (ROOT / "tests/mutants.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            path, old, new, reason = [part.strip() for part in line.split(" ¦ ")]
            rows[path, old, new] = reason
    return rows


def sample(mutants, seed):
    """All of them in a random order that takes from each file in turn; the operators count as one
    file."""
    groups = {}
    for mutant in mutants:
        groups.setdefault("ops" if "/ops/" in mutant[0] else mutant[0], []).append(mutant)
    chance = random.Random(seed)
    for group in groups.values():
        chance.shuffle(group)
    return [group[i] for i in range(len(mutants)) for group in groups.values() if i < len(group)]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--file", action="append")
    parser.add_argument("--keep", type=pathlib.Path, default=ROOT / "build-mutate")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--rows",
        type=int,
        default=len(TESTS),
        help="only so many rows of the tests, the quickest ones",
    )
    parser.add_argument(
        "--list", action="store_true", help="print the mutants of the sample and stop"
    )
    options = parser.parse_args()
    paths = options.file or sorted(
        str(p.relative_to(ROOT)) for place in PLACES for p in ROOT.glob(place)
    )
    mutants = sample([mutant for path in paths for mutant in mutants_of(path)], options.seed)
    print(f"{len(mutants)} mutants in {len(paths)} files", flush=True)
    if options.list:
        for path, number, new in mutants[:options.count]:
            print(f"{path}:{number}: {new.strip()}")
        return 0
    rows, known = TESTS[:options.rows], known_equivalents()
    copy = Copy(options.keep.resolve(), options.jobs, rows)
    killed, survived, equivalent = 0, [], 0

    def tell(verdict, mutant, why, start):
        path, number, new = mutant
        print(
            f"{killed + len(survived) + equivalent:4} {verdict:10} {time.time() - start:4.0f} s  "
            f"{path}:{number}: {new.strip()}  [{why}]",
            flush=True,
        )

    # All of them by the quickest tests; what they leave by the next ones.
    for mutant in mutants:
        if killed + len(survived) + equivalent == options.count:
            break
        start, reason = time.time(), known.get((mutant[0], old_line(mutant), mutant[2].strip()))
        verdict = "equivalent" if reason else judge(copy, mutant, rows[0])
        killed += verdict == "killed"
        equivalent += verdict == "equivalent"
        if verdict == "survived":
            survived.append(mutant)
        if verdict:
            tell(verdict, mutant, reason or rows[0].split()[0], start)
    for row in [None] + rows[1:]:
        for mutant in list(survived):
            start, tests = time.time(), row or related(mutant[0])
            verdict = judge(copy, mutant, tests)
            if verdict == "killed":
                killed += 1
                survived.remove(mutant)
            tell(verdict, mutant, tests.split()[0], start)
    for mutant in survived:
        print(f"survived: {mutant[0]}:{mutant[1]}\n    {old_line(mutant)}\n    {mutant[2].strip()}")
    judged = killed + len(survived)
    print(
        f"{judged + equivalent} mutants: {killed} killed, {len(survived)} survived, {equivalent} "
        f"equivalent; "
        f"{100 * killed / max(judged, 1):.1f} % killed of {judged}"
    )
    return 0 if judged and killed >= 0.95 * judged else 1


if __name__ == "__main__":
    sys.exit(main())
