#!/usr/bin/env python3
"""mutants.py TREE: tests/mutants.txt names lines of sources: brings them to the new names and lines."""
import pathlib, re, sys
import names

TREE = pathlib.Path(sys.argv[1]).resolve()
sys.argv = ["rename.py", str(TREE), "--library"]
import rename as renamer

FILE = TREE / "tests/mutants.txt"


def flat(text):
    return re.sub(r"\s+", " ", text).strip()


def at_home(lines, old, new):
    """The line of the file that holds the mutated place, and its mutant; None: not found."""
    if old in lines:
        return old, new
    words = flat(old)
    for i in range(len(lines)):
        if not lines[i] or not words.startswith(lines[i]):
            continue
        joined, k = lines[i], i
        starts = [0]
        while len(joined) < len(words) and k + 1 < len(lines):
            k += 1
            starts.append(len(joined) + 1)
            joined += " " + lines[k]
        if joined != words:
            continue
        mutant = flat(new)
        first = next((p for p in range(min(len(words), len(mutant))) if words[p] != mutant[p]), 0)
        last = next((p for p in range(1, min(len(words), len(mutant)) - first + 1) if words[-p] != mutant[-p]), 1) - 1
        n = max(n for n in range(len(starts)) if starts[n] <= first)
        line = lines[i + n]
        end = len(words) - last - starts[n]
        return line, line[:first - starts[n]] + mutant[first:len(mutant) - last] + line[end:]
    return None


out = []
for line in FILE.read_text().splitlines():
    parts = line.split(" ¦ ")
    if len(parts) == 4:
        moved = dict(names.MOVES).get(parts[0], parts[0])
        path = moved if (TREE / moved).exists() else parts[0]
        file = TREE / path
        lines = [one.split("/*")[0].strip() if not one.strip().startswith("/*") else one.strip() for one in file.read_text().splitlines()] if file.exists() else []
        found = None
        for change in (lambda text: text, lambda text: renamer.rename(path, text, set(), True)):
            found = found or at_home(lines, flat(change(parts[1])), flat(change(parts[2])))
        if found:
            parts[0], parts[1], parts[2] = path, found[0], found[1]
        else:
            print("mutants: not found: %s: %s" % (path, parts[1][:110]))
    out.append(" ¦ ".join(parts))
FILE.write_text("\n".join(out) + "\n")
