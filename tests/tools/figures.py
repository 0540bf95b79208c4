#!/usr/bin/env python3
"""Measures how large the files and functions of C folders are, and prints a row of a table for
each.

    tests/tools/figures.py [--commit C] [--formatted] [--over] [FOLDER...]

Without FOLDER: compiler and runtime of this project. --commit measures the folders, named from the
project's root, as they were at that commit of its history, to hold a change against what was there
before. --formatted measures what clang-format makes of them by the project's .clang-format: where a
line is broken is no difference then between a commit before that file and one after. --over also
names each function of more than 40 lines or 8 parameters, and the tenth of the .c files that are
longest.

Counted: .c and .h files and their lines; the lines of .c files; the functions that .c files define,
by the lines between the braces of their bodies, and their parameters; lines with a comment on them;
lines of more than 100 columns.
"""
import argparse
import io
import re
import statistics
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
LONG_LINE = 100
LONG_BODY = 40
MANY_PARAMETERS = 8

HEAD = (
    "| folder | files / lines | .c median / max | functions | median / p90 / max | over 40 "
    "| parameters p90 / max | comment lines | lines over 100 columns |\n"
    "|---|---|---|---|---|---|---|---|---|"
)

# What is no code: comments, strings, characters, and directives with the lines that continue them.
NO_CODE = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
        | ^[ \t]*\#(?:\\\n | /\*.*?\*/ | [^\n])*""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)


@dataclass
class Function:
    file: str
    line: int
    name: str
    body: int           # lines between its braces
    parameters: int


@dataclass
class File:
    name: str
    lines: list
    functions: list
    comments: int


def blanked(match):
    """What matched, as blanks in as many lines."""
    return re.sub(r"[^\n]", " ", match.group())


def closing(code, start):
    """Where the bracket that opens at start is closed."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    opened, closed, depth = code[start], pairs[code[start]], 0
    for at in range(start, len(code)):
        if code[at] == opened:
            depth += 1
        elif code[at] == closed:
            depth -= 1
            if depth == 0:
                return at
    return len(code)


def count_parameters(text):
    if text.strip() in ("", "void"):
        return 0
    depth = commas = 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        commas += letter == "," and depth == 0
    return commas + 1


def functions_of(name, code):
    """The functions that are defined in code: a name and parentheses right before a brace that
    nothing encloses."""
    found = []
    at = 0
    begun = 0           # where the definition or declaration at hand begins
    while True:
        at = next((i for i in range(at, len(code)) if code[i] in "{;"), len(code))
        if at == len(code):
            return found
        if code[at] == ";":
            at = begun = at + 1
            continue
        end = closing(code, at)
        head = re.search(r"\b(\w+)\s*\(", code[begun:at])
        if head and re.search(r"\)\s*$", code[begun:at]):
            opened = begun + head.end() - 1
            body = code.count("\n", at, end) - 1
            if body < 0:                # on the line of its braces
                body = 1 if code[at + 1 : end].strip() else 0
            found.append(
                Function(
                    name,
                    code.count("\n", 0, begun + head.start()) + 1,
                    head.group(1),
                    body,
                    count_parameters(code[opened + 1 : closing(code, opened)]),
                )
            )
            begun = end + 1
        at = end + 1


def comments(text):
    """Where comments begin and end."""
    for match in NO_CODE.finditer(text):
        if match.group().startswith(("/*", "//")):
            yield match.span()
        elif match.group().lstrip().startswith("#"):
            start = text.index("#", match.start()) + 1
            for first, last in comments(text[start : match.end()]):
                yield start + first, start + last


def comment_lines(text):
    """How many lines have a comment, or a part of one."""
    lines = set()
    for start, end in comments(text):
        lines.update(range(text.count("\n", 0, start), text.count("\n", 0, end) + 1))
    return len(lines)


def measure(name, text):
    return File(
        name,
        text.splitlines(),
        functions_of(name, NO_CODE.sub(blanked, text)) if name.endswith(".c") else [],
        comment_lines(text),
    )


def rank(values, share):
    """The smallest value that is not less than this share of them."""
    values = sorted(values)
    return values[max(0, -int(-share * len(values) // 1) - 1)] if values else 0


def middle(values):
    return int(statistics.median(values) + 0.5) if values else 0


def percent(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "0"


def row(folder, files):
    lines = [line for file in files for line in file.lines]
    sources = [len(file.lines) for file in files if file.name.endswith(".c")]
    functions = [function for file in files for function in file.functions]
    bodies = [function.body for function in functions]
    parameters = [function.parameters for function in functions]
    cells = [
        folder,
        f"{len(files)} / {len(lines)}",
        f"{middle(sources)} / {max(sources, default=0)}",
        f"{len(functions)}",
        f"{middle(bodies)} / {rank(bodies, 0.9)} / {max(bodies, default=0)}",
        f"{sum(body > LONG_BODY for body in bodies)}",
        f"{rank(parameters, 0.9)} / {max(parameters, default=0)}",
        percent(sum(file.comments for file in files), len(lines)),
        percent(sum(len(line) > LONG_LINE for line in lines), len(lines)),
    ]
    return "| " + " | ".join(cells) + " |"


def over(files):
    """What stands out in files, as lines to be read."""
    sources = [file for file in files if file.name.endswith(".c")]
    for file in sorted(sources, key=lambda file: -len(file.lines))[: (len(sources) + 9) // 10]:
        yield f"{file.name}: {len(file.lines)} lines"
    for function in (function for file in files for function in file.functions):
        if function.body > LONG_BODY:
            yield f"{function.file}:{function.line}: {function.name}: {function.body} lines"
        if function.parameters > MANY_PARAMETERS:
            yield (
                f"{function.file}:{function.line}: {function.name}: "
                f"{function.parameters} parameters"
            )


def read_folder(folder):
    root = Path(folder)
    if not root.is_dir():
        sys.exit(f"figures.py: {folder}: no folder of this name; give one that holds C files")
    for path in sorted(root.rglob("*.[ch]")):
        yield str(path), path.read_text(errors="replace")


def read_commit(commit, folder):
    made = subprocess.run(
        ["git", "-C", PROJECT, "archive", commit, folder], capture_output=True, check=False
    )
    if made.returncode:
        sys.exit(f"figures.py: {commit}: {made.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(made.stdout)) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith((".c", ".h")):
                yield member.name, archive.extractfile(member).read().decode(errors="replace")


def formatted(name, text):
    made = subprocess.run(
        ["clang-format", "--style=file", f"--assume-filename={PROJECT / Path(name).name}"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        sys.exit(f"figures.py: {name}: {made.stderr.strip()}")
    return made.stdout


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    arguments.add_argument("--commit", help="as the folders were at this commit")
    arguments.add_argument("--formatted", action="store_true", help="as clang-format has them")
    arguments.add_argument("--over", action="store_true", help="name what is large")
    arguments.add_argument("folders", nargs="*", metavar="FOLDER")
    asked = arguments.parse_args()
    rows, large = [], []
    for folder in asked.folders or ["compiler", "runtime"]:
        if asked.commit:
            texts = read_commit(asked.commit, folder)
        else:
            texts = read_folder(folder if asked.folders else PROJECT / folder)
        if asked.formatted:
            texts = [(name, formatted(name, text)) for name, text in texts]
        files = [measure(name, text) for name, text in texts]
        rows.append(row(folder, files))
        large += over(files) if asked.over else []
    print("\n".join([HEAD, *rows]))
    if large:
        print("\n" + "\n".join(large))


if __name__ == "__main__":
    main()
