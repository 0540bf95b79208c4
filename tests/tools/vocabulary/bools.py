#!/usr/bin/env python3
"""bools.py TREE: truth is bool, not int: predicates and flags of the runtime and its tests."""
import pathlib, re, subprocess, sys

TREE = pathlib.Path(sys.argv[1]).resolve()
PREDICATE = re.compile(r"^(static )?int ((?:is|is_\w+|has_\w+|same_\w+|ends_in|starts_with|nothing_new|stands_\w+)\()(.*)$")
FLAGS = "json|strict|resume|clip_given|min_delta_given|patience_given|mirror_given|seed_given|cache_given|terminal|diverged|unheard|closed"


def include(text):
    if "<stdbool.h>" in text:
        return text
    lines = text.split("\n")
    system = [i for i, line in enumerate(lines) if line.startswith("#include <")]
    new = "#include <stdbool.h>"
    if system:
        at = next((i for i in system if lines[i] > new), system[-1] + 1)
        lines.insert(at, new)
    else:
        own = [i for i, line in enumerate(lines) if line.startswith('#include "')]
        at = own[-1] + 1 if own else next(i for i, line in enumerate(lines) if line.startswith("#define ")) + 1
        lines[at:at] = ["", new]
    return "\n".join(lines)


def bools(text):
    lines, inside, changed = text.split("\n"), False, False
    for i, line in enumerate(lines):
        m = PREDICATE.match(line)
        if m and not re.match(r".*\bError \*", line + (lines[i + 1] if i + 1 < len(lines) else "")):
            lines[i] = "%sbool %s%s" % (m.group(1) or "", m.group(2), m.group(3))
            inside, changed = not line.rstrip().endswith(";"), True
        elif inside:
            lines[i] = re.sub(r"\breturn 0;", "return false;", re.sub(r"\breturn 1;", "return true;", line))
        if line.startswith("}"):
            inside = False
    text = "\n".join(lines)
    new = re.sub(r"\bint ((?:(?:%s)(?:, )?)+)(?=[;,)])" % FLAGS, lambda m: "bool " + m.group(1), text)
    new = re.sub(r"\bint locked, lock_file;", "bool locked;\n    int lock_file;", new)
    new = re.sub(r"((?:->|\.)(?:%s|locked)) = ([01]);" % FLAGS, lambda m: m.group(1) + " = " + ("false", "true")[int(m.group(2))] + ";", new)
    return include(new) if new != text and re.search(r"\bbool\b", new) or changed else new


count = 0
for name in subprocess.run(["git", "-C", str(TREE), "ls-files", "runtime", "tests/runtime"], check=True, capture_output=True, text=True).stdout.splitlines():
    if not name.endswith((".c", ".h")):
        continue
    old = (TREE / name).read_text()
    new = bools(old)
    if new != old:
        (TREE / name).write_text(new)
        count += 1
print("bools: %d files changed" % count)
