#!/usr/bin/env python3
"""check.py TREE: what is left for work by hand: lines that are too long, old words, long files."""
import pathlib, re, subprocess, sys
TREE = pathlib.Path(sys.argv[1]).resolve()
OLD = [(r"\bPhase\b|\bphases?\b", ["compiler/"], ["compiler/kernels/"]), (r"\bForms?\b|\bforms?\b", ["compiler/plan", "compiler/kernels", "compiler/emit"], []),
       (r"\bsights?\b|\bstraight\b|\bmeant\b|\bblank\b", ["compiler/"], []), (r"\bgroup(s|ed)?\b", ["compiler/plan", "compiler/emit", "compiler/passes", "compiler/main", "runtime/infer", "runtime/train", "runtime/model.h", "README.md"], []),
       (r"\bpass\b", ["compiler/plan", "compiler/emit", "compiler/kernels", "compiler/tune", "runtime/train", "runtime/infer"], []),
       (r"\b[Ww]atch\w*", ["runtime/"], []), (r"\bmemory_limit\b", ["compiler/front", "compiler/plan/microbatch"], []),
       (r"\b[cC]hanges?\b|CHANGE_", ["compiler/plan"], []), (r"\blate\b", ["compiler/plan", "compiler/emit", "compiler/kernels"], []),
       (r"\bstages?\b", ["compiler/kernels"], []), (r"\ba on_use|on_use packing|made on_use|microbatch of \w* ?images", [""], []), (r"\w+_(MOST|LEAST)\b", ["compiler", "runtime", "tests"], []),
       (r"\bseparate\b", ["compiler/passes", "compiler/README.md", "compiler/ir"], [])]
names = subprocess.run(["git", "-C", str(TREE), "ls-files"], check=True, capture_output=True, text=True).stdout.splitlines()
long_lines = old_words = 0
for name in names:
    if name.startswith(("generated/", "tests/hostile/corpus/", "tests/reference/nets/", "tests/golden/plan", "tests/golden/grad", "LICENSE")):
        continue
    base = name.rsplit("/", 1)[-1]
    ours = base.endswith((".c", ".h", ".def", ".lua", ".in", ".sh", ".py", ".cmake", ".md")) or base == "CMakeLists.txt" or name.startswith(".ci/")
    if not ours or not (TREE / name).is_file():
        continue
    try:
        text = (TREE / name).read_text()
    except UnicodeDecodeError:
        continue
    fence = False
    for number, line in enumerate(text.split("\n"), 1):
        fence ^= line.lstrip().startswith("```")
        if len(line) > 100 and not (name.endswith(".md") and (fence or re.match(r"\s*(\||!?\[|<)|    ", line))):
            print("too long (%d): %s:%d" % (len(line), name, number))
            long_lines += 1
        for regex, begins, without in OLD:
            if any(name.startswith(b) for b in begins) and not any(name.startswith(b) for b in without) and re.search(regex, line):
                print("old word: %s:%d: %s" % (name, number, line.strip()[:150]))
                old_words += 1
    if name.endswith((".c", ".h")) and text.count("\n") > 500:
        print("long file: %s: %d lines" % (name, text.count("\n")))
print("check: %d lines too long, %d old words" % (long_lines, old_words))
