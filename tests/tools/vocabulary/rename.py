#!/usr/bin/env python3
"""rename.py TREE: moves files, renames identifiers and words, replaces phrases. See names.py and phrases.py."""
import pathlib, re, subprocess, sys
import names, phrases

TREE = pathlib.Path(sys.argv[1]).resolve()


def git(*words):
    return subprocess.run(["git", "-C", str(TREE), *words], check=True, capture_output=True, text=True).stdout


def glob_regex(glob):
    out, i = "", 0
    while i < len(glob):
        if glob.startswith("**/", i):
            out, i = out + "(?:.*/)?", i + 3
        elif glob.startswith("**", i):
            out, i = out + ".*", i + 2
        elif glob[i] == "*":
            out, i = out + "[^/]*", i + 1
        elif glob[i] == "[":
            end = glob.index("]", i)
            out, i = out + glob[i:end + 1], end + 1
        else:
            out, i = out + re.escape(glob[i]), i + 1
    return re.compile(out + r"\Z")


REGEXES = {}


def matches(path, globs):
    for glob in globs:
        if glob not in REGEXES:
            REGEXES[glob] = glob_regex(glob)
        if REGEXES[glob].match(path):
            return True
    return False


def move():
    for old, new in names.MOVES:
        if (TREE / old).exists() and not (TREE / new).exists():
            git("mv", old, new)


def mapped_part(part, parts):
    if part in parts:
        return parts[part]
    if part.isupper() and part.lower() in parts:
        return parts[part.lower()].upper()
    if part[:1].isupper() and part[1:].islower() and part.lower() in parts:
        new = parts[part.lower()]
        return new[:1].upper() + new[1:]
    return part


class Shield:
    """Text that the maps shall not touch, put aside."""

    def __init__(self):
        self.kept = []

    def put(self, text):
        self.kept.append(text)
        return "\ue000%d\ue001" % (len(self.kept) - 1)

    def restore(self, text):
        return re.sub("\ue000(\\d+)\ue001", lambda m: self.kept[int(m.group(1))], text)


def phrase_regex(old):
    """Words of the phrase may be apart by any white space, with the signs that continue a comment between."""
    gap = r"(?:[ \t]+|[ \t]*\n[ \t]*(?:\*(?!/)|//|#|%--|% --|--)?[ \t]*)"
    return re.compile(gap.join(re.escape(word) for word in old.split()))


def mend(comment):
    """Grammar that the maps leave wrong."""
    for old, new in names.MEND:
        comment = re.sub(old, new, comment)
    return comment


def rename(path, text, used, anew=False):
    shield = Shield()
    for globs, old, new in phrases.PHRASES:
        if not matches(path, globs):
            continue
        regex = phrase_regex(old)
        if " ".join(old.split()) == " ".join(new.split()):      # the lines alone
            if new not in text and regex.search(text):
                text = regex.sub(lambda m: shield.put(new), text)
            used.add((tuple(globs), old))
            continue
        if new and (RENAMED or regex.search(new)):
            text = phrase_regex(new).sub(lambda m: shield.put(m.group(0)), text)
        if regex.search(text):
            used.add((tuple(globs), old))
            text = regex.sub(lambda m: shield.put(new), text)
        elif new in text or phrase_regex(new).search(text):
            used.add((tuple(globs), old))
    if RENAMED and not anew:
        return shield.restore(text)
    for globs, regex in names.KEEP:
        if matches(path, globs):
            text = re.sub(regex, lambda m: shield.put(m.group(0)), text)
    parts, whole = {}, {}
    # A test that looks into plans speaks of them as plan/ does.
    also = "compiler/plan/" + path.rsplit("/", 1)[-1] if path.startswith("tests/") and re.search(r'#include "[^"\n]*\bplan/\w+\.h"', text) else path
    if also != path:
        for globs, regex in names.KEEP:
            if matches(also, globs):
                text = re.sub(regex, lambda m: shield.put(m.group(0)), text)
    for rule in names.RULES:
        if not matches(path, rule["files"]) and not matches(also, rule["files"]) or matches(path, rule.get("without", [])):
            continue
        for old, new in rule.get("regex", []):
            text = re.sub(old, new, text)
        for old, new in rule.get("parts", {}).items():
            parts[old] = new
        whole.update(rule.get("whole", {}))

    def prose(text):
        for old, new in names.PROSE:
            text = re.sub(old, new, text)
        return text

    if path.endswith((".c", ".h", ".def")):         # in comments and strings
        text = re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', lambda m: prose(m.group(0)), text, flags=re.S)
    else:
        text = prose(text)

    def token(m):
        word = m.group(0)
        if word in whole:
            return whole[word]
        if not parts:
            return word
        new = [mapped_part(part, parts) for part in word.split("_")]
        return "_".join(new)

    if parts or whole:
        text = re.sub(r"[A-Za-z_][A-Za-z0-9_]*", token, text)
    if path.endswith((".c", ".h")):
        text = re.sub(r"/\*.*?\*/", lambda m: mend(m.group(0)), text, flags=re.S)
    return shield.restore(text)


readme = TREE / "compiler/README.md"
RENAMED = "\n## Words\n" in readme.read_text()
def main():
    move()
    used, count = set(), 0
    for name in git("ls-files").splitlines():
        if not matches(name, names.TEXT) or matches(name, names.NOT_TEXT) and name not in phrases.FILES:
            continue
        file = TREE / name
        try:
            old = file.read_text()
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        new = rename(name, old, used)
        if new != old:
            file.write_text(new)
            count += 1
    text = readme.read_text()
    if not RENAMED:
        words = (pathlib.Path(__file__).parent / "files/words.md").read_text()
        mark = "**To add an activation**"
        if mark in text:
            readme.write_text(text.replace(mark, words + "## To add something\n\n" + mark, 1))
        else:
            readme.write_text(text.rstrip("\n") + "\n\n" + words.rstrip("\n") + "\n")
    print("rename: %d files changed" % count)
    for globs, old, new in phrases.PHRASES:
        if not RENAMED and (tuple(globs), old) not in used:
            print("phrase not found in %s: %s" % (" ".join(globs), old))


if RENAMED:
    print("rename: the tree has its words already: phrases alone")
if __name__ == "__main__":
    main()
