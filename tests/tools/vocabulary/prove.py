import pathlib, re, subprocess, sys, os
work, root_old, root_new, label = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
# With PROVE=objects compiled; else token by token: the same but for identifiers that are renamed one to one, and comments.
def folder(which):
    return next(p for p in (work / which).iterdir() if p.is_dir())
def texts(which):
    out = {}
    for p in sorted(folder(which).glob("*.[ch]")):
        out[p.name] = p.read_text()
    return out
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[A-Za-z_]\w*|0x[0-9a-fA-F.pP+-]+\w*|\d[\w.]*(?:[eE][+-]?\d+)?\w*|\S', re.S)
def tokens(text):
    return [t for t in TOKEN.findall(text) if not t.startswith(("/*", "//"))]
old, new = texts("old"), texts("new")
rename = lambda name: name
def order(files, fix):
    return {fix(n): n for n in files}
fix = lambda n: re.sub(r"_dw(?=[_.])", "_backward", n)
names_old = {}
for n in old:
    names_old[n if n in new else fix(n)] = n
problems, mapping, back, marks = [], {}, {}, {}
if set(names_old) != set(new):
    problems.append("files: %s" % sorted(set(names_old) ^ set(new))[:5])
changed = set()
for n in sorted(set(names_old) & set(new)):
    a, b = tokens(old[names_old[n]]), tokens(new[n])
    if len(a) != len(b):
        problems.append("%s: %d and %d tokens" % (n, len(a), len(b)))
        continue
    for x, y in zip(a, b):
        if re.match(r"0x[0-9a-f]{16}u$", x) and re.match(r"0x[0-9a-f]{16}u$", y):      # mark_of(): a hash over names, another in every library
            marks[y] = x
            continue
        if x == y and x not in mapping:
            continue
        if re.match(r"[A-Za-z_]\w*$", x) and re.match(r"[A-Za-z_]\w*$", y):
            if mapping.setdefault((n, x), y) != y or back.setdefault((n, y), x) != x:
                problems.append("%s: %s -> %s and %s" % (n, x, mapping[(n, x)], y))
            if x != y: changed.add("%s->%s" % (x, y))
        elif x != y and not (x.startswith('"') and fix(x) == y):
            problems.append("%s: %s and %s" % (n, x[:60], y[:60]))
if os.environ.get("PROVE") == "objects" and not problems:
    cc = os.environ.get("CC", "cc")
    flags = ["-std=gnu11", "-O1", "-g0", "-c", "-w"]
    text = (folder("old") / "CMakeLists.txt").read_text()
    m = re.search(r"set\(TARGET_FLAGS ?(.*)\)", text)
    flags += (m.group(1).split() if m else [])
    for n in new:
        text = new[n]
        for y, x in marks.items():
            text = text.replace(y, x)
        (folder("new") / n).write_text(text)
    for n in sorted(set(names_old) & set(new)):
        if not n.endswith(".c"): continue
        sums = []
        for which, name, root in (("old", names_old[n], root_old), ("new", n, root_new)):
            obj = work / (which + ".o")
            subprocess.run([cc, *flags, "-I", str(folder(which)), "-I", root + "/runtime", "-DMODEL_REAL=float", str(folder(which) / name), "-o", str(obj)], check=True)
            out = b""
            for section in (".text", ".rodata", ".data", ".rodata.cst4", ".rodata.cst8", ".rodata.cst16", ".rodata.cst32", ".rodata.str1.1", ".rodata.str1.8"):
                r = subprocess.run(["objcopy", "-O", "binary", "--only-section=" + section, str(obj), str(work / "section")], capture_output=True)
                out += section.encode() + ((work / "section").read_bytes() if (work / "section").exists() else b"")
                if (work / "section").exists(): (work / "section").unlink()
            sums.append(out)
        if sums[0] != sums[1]:
            problems.append("%s: objects differ" % n)
    print("%-14s %s  %d objects" % ("DIFFER" if problems else "same objects", label, sum(n.endswith(".c") for n in new)), *problems[:4], sep="  ")
else:
    print("%-14s %s  %d names changed" % ("DIFFER" if problems else "same tokens", label, len(changed)), *problems[:4], sep="  ")
