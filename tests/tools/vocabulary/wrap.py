#!/usr/bin/env python3
"""wrap.py TREE: brings every line of ours to 100 columns at most, and C through clang-format."""
import pathlib, re, shutil, subprocess, sys, textwrap

TREE = pathlib.Path(sys.argv[1]).resolve()
LIMIT = 100


def files():
    out = subprocess.run(["git", "-C", str(TREE), "ls-files"], check=True, capture_output=True, text=True).stdout
    for name in out.splitlines():
        if name.startswith(("generated/", "tests/hostile/corpus/", "tests/reference/nets/")):
            continue
        if (TREE / name).is_file():
            yield name


def fill(text, first, rest):
    """Words of the text in lines of at most LIMIT columns."""
    return textwrap.wrap(text, LIMIT, initial_indent=first, subsequent_indent=rest, break_long_words=False,
                         break_on_hyphens=False) or [first.rstrip()]


# ---- C ----

def comments_of(text):
    """(start, end) of every block comment that is none within a string."""
    at, found = 0, []
    token = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    for m in token.finditer(text):
        if m.group(0).startswith("/*"):
            found.append((m.start(), m.end()))
    return found


def paragraphs(lines):
    """Comment lines without their marks, gathered to paragraphs; what is laid out by hand stays a line: (text, is it filled?)."""
    out = []
    for line in lines:
        laid_out = line.startswith("  ") or re.search(r"\S {3,}\S", line) or line.startswith("|")
        if not line.strip():
            out.append(("", False))
        elif laid_out:
            out.append((line.rstrip(), False))
        elif out and out[-1][1] and not re.match(r"[-*] |\d+\. ", line):
            out[-1] = (out[-1][0] + " " + line.strip(), True)
        else:
            out.append((line.strip(), True))
    return out


def own_line_comment(indent, comment):
    """The comment, its lines filled anew; star style where it was so, or stands at the head of a file."""
    body = comment[2:-2].split("\n")
    star = len(body) > 1 and all(re.match(r"\s*\*", line) for line in body[1:] if line.strip())
    lines = [body[0].strip()]
    for line in body[1:]:
        if star:
            line = re.sub(r"^\s*\* ?", "", line)
        else:
            line = line[len(indent) + 3:] if line.startswith(indent + "   ") else line.lstrip()
        lines.append(line.rstrip())
    while lines and not lines[-1].strip():
        lines.pop()
    lead = " * " if star else "   "
    out = []
    for i, (text, filled) in enumerate(paragraphs(lines)):
        first = indent + ("/* " if i == 0 else lead)
        if not filled:
            long = len(first + text) > LIMIT
            if long and text.strip():
                hang = re.match(r"\s*(?:\S.*?\S {2,})?", text).group(0)
                out += fill(text.strip(), first + re.match(r"\s*", text).group(0), indent + lead + " " * min(len(hang), 40)) \
                    if not re.search(r"\S {3,}\S", text) else [(first + text).rstrip()]
            else:
                out.append((first + text).rstrip())
        else:
            out += fill(text, first, indent + lead)
    if len(out[-1]) + 3 <= LIMIT:
        out[-1] += " */"
    else:
        last = out.pop()
        head, tail = last.rsplit(" ", 1)
        out += [head, indent + lead + tail + " */"]
    return "\n".join(out)


def statement_start(lines, i):
    """The first line of the statement that line i ends or continues."""
    while i > 0:
        before = lines[i - 1].rstrip()
        code = re.sub(r"/\*.*?\*/", "", before).rstrip()
        if not before.strip() or not code or code.endswith((";", "{", "}", ",", ":")) or code.lstrip().startswith("#") or \
                before.endswith("*/") and "/*" not in before:
            return i
        i -= 1
    return i


def hanging(text, line_start, before, words):
    """A member's note in several lines beside it, within a struct or an enum; None: it does not go there."""
    if not before.startswith("    ") or not before.rstrip().endswith((";", ",")) or len(before) > 48:
        return None
    heads = re.findall(r"^[A-Za-z].*$", text[:line_start], re.M)
    if not heads or not re.match(r"(typedef )?(struct|enum|union)\b.*\{$", heads[-1]):
        return None
    lead = " " * (len(before) + 3)
    lines = fill(words, before + "/* ", lead)
    if len(lines[-1]) + 3 > LIMIT:
        lines = fill(words + " xx", before + "/* ", lead)
        lines[-1] = lines[-1][:-3]
    return "\n".join(lines) + " */" if len(lines) <= 4 else None


def wrap_c(text, turn):
    """One round: the first comment that reaches past the limit is set anew; None where there is none."""
    for start, end in comments_of(text):
        line_start = text.rfind("\n", 0, start) + 1
        line_end = text.find("\n", end)
        line_end = len(text) if line_end < 0 else line_end
        whole = text[line_start:line_end]
        before, comment, after = text[line_start:start], text[start:end], text[end:line_end]
        askew = before.strip() and any(not line.startswith(" " * (len(before) + 3)) or line[len(before) + 3:len(before) + 4] == " "
                                       for line in comment.split("\n")[1:])
        if all(len(line) <= LIMIT for line in whole.split("\n")) and not askew:
            continue
        if after.strip():
            continue
        if not before.strip():
            new = own_line_comment(before, comment)
            if new != whole.rstrip():
                return text[:line_start] + new + text[line_end:]
            continue
        indent = re.match(r"\s*", before).group(0)
        words = " ".join(re.sub(r"^\s*\*? ?", "", line).strip() if i else line.strip() for i, line in enumerate(comment[2:-2].split("\n")))
        code = before.rstrip()
        hung = hanging(text, line_start, before, words) if turn < 4 else None
        if hung:
            return text[:line_start] + hung + text[line_end:]
        if code.endswith("\\") or code.lstrip().startswith("#define") and code.endswith("\\"):
            continue
        if code.endswith("{"):
            if "=" in code or re.match(r"\s*(typedef|static|const|struct|enum)", code):
                return text[:line_start] + own_line_comment(indent, "/* %s */" % words) + "\n" + code + text[line_end:]
            return text[:line_start] + code + "\n" + own_line_comment(indent + "    ", "/* %s */" % words) + text[line_end:]
        if code.strip() in ("else", "do") or code.strip().startswith("}") and not code.strip().startswith(("};", "}, {", "})", "},", "} ")):
            continue
        lines = text[:line_start].split("\n")
        lines[-1:] = [code]
        at = statement_start(lines, len(lines) - 1)
        indent = re.match(r"\s*", lines[at]).group(0)
        lines[at:at] = own_line_comment(indent, "/* %s */" % words).split("\n")
        return "\n".join(lines) + text[line_end:]
    return None


STRING = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\'')


def split_c_strings(text):
    """Strings that reach past the limit, each as two; in macros too."""
    out, goes_on = [], False
    for line in text.split("\n"):
        ended = re.search(r"\s*\\$", line)
        macro = ended or goes_on or line.startswith("#define")
        goes_on = ended is not None
        tail, limit = (" \\", LIMIT - 2) if macro else ("", LIMIT)
        body = line[:ended.start()] if ended else line
        split = False
        while len(body) > limit and (macro or not body.lstrip().startswith("#")):
            best = None
            for m in STRING.finditer(body):
                if not m.group(0).startswith('"') or m.start() > limit - 24 or m.end() < 50:
                    continue
                for regex in (r" (?!\")", r",(?=\S)(?!\")|\\n(?!\")"):
                    spots = [k.end() for k in re.finditer(regex, body) if m.start() + 12 < k.end() < min(m.end() - 1, limit)]
                    if spots and (best is None or spots[-1] > best[1]):
                        best = (m.start(), spots[-1])
                        break
            if not best:
                break
            out.append(body[:best[1]] + '"' + tail)
            body = " " * (4 if macro else best[0]) + '"' + body[best[1]:]
            split = True
        out.append(body + (tail if ended else "") if split else line)
    return "\n".join(out)


def do_c(name, text, turn):
    if turn > 0:
        text = split_c_strings(text)
    for _ in range(2000):
        new = wrap_c(text, turn)
        if new is None:
            return text
        text = new
    return text


# ---- texts with holes ----

def depths(line):
    """For each place of the line: depth of brackets and whether it is inside a string or a comment to the line's end."""
    out, depth, quote, i = [], 0, None, 0
    while i < len(line):
        c = line[i]
        out.append((depth, quote is not None))
        if quote:
            if c == "\\":
                out.append((depth, True))
                i += 1
            elif c == quote:
                quote = None
        elif c == '"' or c == "'" and re.match(r"'(\\.|[^'\\])'", line[i:]):
            quote = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        i += 1
    return out[:len(line)]


def break_at(line, limit, least, strings=False):
    """The best space to break the line at; None: there is none."""
    state = depths(line)
    best = None
    for i in range(min(limit, len(line) - 1), least, -1):
        if line[i] != " " or line[i - 1] == " " or line[i + 1:i + 2] == " " or (state[i][1] and not strings):
            continue
        head, tail = line[:i], line[i + 1:]
        cost = state[i][0] * 12 + (limit - i) * 0.5
        if not (head.endswith((",", "{", "then", "do", "and", "or", ";", "..")) or re.match(r"(&&|\|\||[-+*/?:=]|and |or |\.\.) ?", tail)):
            cost += 25
        if best is None or cost < best[0]:
            best = (cost, i)
    return best[1] if best else None


def fold(line, lead, strings=False):
    """A line in several, the later ones after `lead`."""
    out = []
    while len(line) > LIMIT:
        at = break_at(line, LIMIT, len(lead) + 20, strings)
        if at is None:
            break
        out.append(line[:at])
        line = lead + line[at + 1:]
    return out + [line]


def fit_comment(line):
    """As template.lua's fit() breaks it, so that the emitted bytes stay."""
    indent = re.match(r" *", line).group(0)
    star = re.match(r" \* +", line)
    star = star.group(0) if star else None
    if star and len(star) > 3:
        star += "    "
    if len(line) <= LIMIT or '"' in line:
        return [line]
    for i in range(LIMIT, len(indent) + 19, -1):
        if line[i:i + 1] == " " and line[:i].strip():
            rest = (star or indent + "   ") + line[i + 1:]
            if star:
                return [line[:i]] + fit_comment(rest)
            return [line[:i]] + [part[2:] if k == 0 else part for k, part in enumerate(fit_comment("/*" + rest))]
    return [line]


def lua_comment_block(lines, i, mark):
    """The block of comment lines from i on, filled; (lines, next i)."""
    block, k = [], i
    while k < len(lines) and lines[k].startswith(mark) and not re.match(r"%-?-?\s*$", lines[k]):
        block.append(lines[k][len(mark):])
        k += 1
    out = []
    for text, filled in paragraphs([line[1:] if line.startswith(" ") else line for line in block]):
        out += fill(text, mark + " ", mark + " ") if filled or len(mark + " " + text) > LIMIT else [(mark + " " + text).rstrip()]
    return out, k


def do_template(name, text):
    if name.endswith("CMakeLists.txt.in"):
        return do_marked(text, "#", "    ", lambda line, lead: fold(line, "%    ") if line.startswith("%")
                         # emitted as one line: those who build without CMake read it
                         else fold(line, "%+    ", True) if re.match(r"set\(\w*FLAGS ", line) else cmake_line(line))
    lines, out, i = text.split("\n"), [], 0
    is_code = re.search(r"\.[ch]\.in$", name) is not None or "library_blocks" in name
    while i < len(lines):
        line = lines[i]
        if len(line) <= LIMIT and not re.match(r"%\s*--", line):
            out.append(line)
            i += 1
            continue
        mark = re.match(r"%\s*--", line)
        if mark:
            mark, k = mark.group(0), i
            while k < len(lines) and lines[k].startswith(mark):
                k += 1
            if all(len(one) <= LIMIT for one in lines[i:k]):
                out += lines[i:k]
                i = k
                continue
            new, k2 = lua_comment_block(lines, i, mark)
            out += new
            i = max(k2, i + 1)
            continue
        i += 1
        if re.match(r"%(kernel|include|header)\b", line) or line.startswith("%+"):
            out += fold(line, "%+    ", True)
        elif line.startswith("%"):
            note = re.search(r"\s+--\s+(.*)$", line)
            if note and not depths(line)[note.start()][1]:
                out += fill(note.group(1), "% -- ", "% -- ")
                line = line[:note.start()]
            out += fold(line, "%" + re.match(r" *", line[1:]).group(0) + "    ")
        elif is_code and re.match(r" *(/\*| \* )", line) and "${" not in line and '"' not in line:
            out += fit_comment(line)
        elif name.endswith("README.md.in") and not line.startswith(("|", "`$")) and "`" not in line[90:110]:
            out += fold_prose(line)
        elif name.endswith("CMakeLists.txt.in"):
            out += cmake_line(line)
        else:
            out += fold(line, "%+    ", True)
    return "\n".join(out)


def fold_prose(line):
    """Not within a hole."""
    out = []
    while len(line) > LIMIT:
        state = depths(line.replace('"', " ").replace("'", " "))
        at = max((k for k in range(20, LIMIT + 1) if line[k] == " " and state[k][0] == 0), default=None)
        if at is None:
            break
        out.append(line[:at])
        line = line[at + 1:]
    return out + [line]


# ---- the others ----

def note_of(line, mark):
    """Where a note at the line's end begins; None."""
    state = depths(line)
    for m in re.finditer(r"\s+" + re.escape(mark) + r"\s", line):
        if not state[m.start()][1] and line[:m.start()].strip():
            return m.start()
    return None


def do_marked(text, mark, indent_more, code):
    """Files whose comments begin with `mark`."""
    lines, out, i = text.split("\n"), [], 0
    while i < len(lines):
        line = lines[i]
        indent = re.match(r"\s*", line).group(0)
        if re.match(re.escape(mark) + r"(?!!)", line.strip()):
            k = i
            lead = indent + mark
            while k < len(lines) and lines[k].startswith(lead) and lines[k][len(lead):len(lead) + 1] in ("", " "):
                k += 1
            block = lines[i:k]
            if k > i and any(len(one) > LIMIT for one in block):
                pieces = paragraphs([one[len(lead) + 1:] for one in block])
                while pieces:
                    words, filled = pieces.pop(0)
                    columns = re.match(r"(\s*\S+(?: \S+)*? {2,})\S", words)
                    if not filled and columns and len(lead) + 1 + len(words) > LIMIT and len(columns.group(1)) < 60:
                        hang = " " * len(columns.group(1))
                        while pieces and pieces[0][0].startswith(hang) and not pieces[0][0][len(hang):].startswith(" "):
                            words += " " + pieces.pop(0)[0].strip()
                        out += fill(words[len(hang):], lead + " " + columns.group(1), lead + " " + hang)
                        continue
                    if filled or len(lead) + 1 + len(words) > LIMIT:
                        hang = re.match(r"\s*", words).group(0)
                        out += fill(words.strip(), lead + " " + hang, lead + " " + hang + ("    " if hang else ""))
                    else:
                        out.append((lead + " " + words).rstrip())
                i = k
                continue
            out += lines[i:max(k, i + 1)]
            i = max(k, i + 1)
            continue
        i += 1
        if len(line) <= LIMIT:
            out.append(line)
            continue
        at = note_of(line, mark)
        if at is not None:
            words = line[at:].strip()[len(mark):].strip()
            if not (line[:at].rstrip().endswith("\\")):
                out += fill(words, indent + mark + " ", indent + mark + " ")
                line = line[:at].rstrip()
        out += code(line, indent + indent_more) if len(line) > LIMIT else [line]
    return "\n".join(out)


def lua_code(line, lead):
    return fold(line, lead)


def cmake_line(line):
    indent = re.match(r"\s*", line).group(0)
    if line.lstrip().startswith("#"):
        mark = indent + "# "
        return fill(line.lstrip()[1:].strip(), mark, mark)
    out = []
    lead = indent + "    "
    while len(line) > LIMIT:
        state = depths(line)
        at = max((k for k in range(len(lead) + 4, LIMIT + 1) if k < len(line) and line[k] == " " and not state[k][1] and line[k - 1] != " "), default=None)
        if at is None:
            break
        out.append(line[:at])
        line = lead + line[at + 1:]
    return out + [line]


def python_code(line, lead):
    out = []
    while len(line) > LIMIT:
        state = depths(line)
        best = None
        for k in range(LIMIT, len(lead) + 16, -1):
            if k < len(line) and line[k] == " " and state[k][0] > 0 and not state[k][1]:
                cost = state[k][0] * 10 + (LIMIT - k) * 0.5 + (0 if line[k - 1] == "," else 15)
                if best is None or cost < best[0]:
                    best = (cost, k)
        if best is None:
            break
        out.append(line[:best[1]])
        line = lead + line[best[1] + 1:]
    return out + [line]


def do_docstrings(text):
    """Prose within triple quotes, filled where a line of a paragraph is too long."""
    def paragraph(m):
        body = m.group(0)
        if all(len(line) <= LIMIT for line in body.split("\n")):
            return body
        lines, out, i = body.split("\n"), [], 0
        while i < len(lines):
            line = lines[i]
            indent = re.match(r"\s*", line).group(0)
            k = i + 1
            while k < len(lines) and lines[k].strip() and lines[k].strip() != '"""' and re.match(r"\s*", lines[k]).group(0) == indent \
                    and not lines[i].strip() == "" and not re.search(r"\S {3,}\S", lines[k]):
                k += 1
            block = lines[i:k]
            if any(len(one) > LIMIT for one in block) and line.strip():
                words = " ".join(one.strip() for one in block)
                columns = re.match(r"(\s*\S.*? {3,})(?=\S)", line)
                hang = " " * len(columns.group(1)) if columns and len(columns.group(1)) < 50 else indent
                out += textwrap.wrap(words, LIMIT, initial_indent=indent, subsequent_indent=hang, break_long_words=False,
                                     break_on_hyphens=False, drop_whitespace=True) if not columns else \
                    [columns.group(1) + textwrap.fill(words[len(columns.group(1).strip()):].strip(), LIMIT - len(hang)).replace("\n", "\n" + hang)]
            else:
                out += block
            i = k
        return "\n".join(out)

    out, at = [], 0
    for m in re.finditer(r'(?:r|f)?"""(?:[^"\\]|\\.|"(?!""))*"""', text, re.S):
        start = text.rfind("\n", 0, m.start()) + 1
        if text[start:m.start()].strip() or start < at:
            continue
        out += [text[at:start], paragraph(re.match(r"(?s).*", text[start:m.end()]))]
        at = m.end()
    return "".join(out) + text[at:]


def split_strings(text):
    """A line that is one string alone, as two."""
    out = []
    for line in text.split("\n"):
        m = re.match(r"(\s*)([rf]?)([\"'])(.*)\3([,)\]]*)$", line)
        while m and len(line) > LIMIT and m.group(3) not in m.group(4):
            words, depth, at = m.group(4), 0, None
            for i, c in enumerate(words):
                depth += (c in "{(") - (c in "})") if m.group(2) == "f" else 0
                if c == " " and depth == 0 and len(m.group(1)) + i < LIMIT - 4:
                    at = i + 1
            if not at:
                break
            out.append(m.group(1) + m.group(2) + m.group(3) + words[:at] + m.group(3))
            line = m.group(1) + m.group(2) + m.group(3) + words[at:] + m.group(3) + m.group(5)
            m = re.match(r"(\s*)([rf]?)([\"'])(.*)\3([,)\]]*)$", line)
        out.append(line)
    return "\n".join(out)


def do_python(text):
    text = do_docstrings(text)
    text = do_marked(text, "#", "    ", lambda line, lead: [line])
    long = [number for number, line in enumerate(text.split("\n"), 1) if len(line) > LIMIT]
    black = shutil.which("black")
    if not long or not black:
        return do_marked(text, "#", "    ", python_code) if long else text
    words = [black, "-q", "-l", str(LIMIT), "--skip-string-normalization", "-"]
    for number in long:
        words.insert(1, "--line-ranges=%d-%d" % (number, number))
    done = subprocess.run(words, input=text, capture_output=True, text=True)
    if done.returncode:
        print("black: " + done.stderr.strip()[-300:])
    return split_strings(done.stdout) if done.returncode == 0 else text


def shell_code(line, lead):
    out = []
    while len(line) > LIMIT and not line.rstrip().endswith("<<"):
        state = depths(line.replace("[", "(").replace("]", ")"))
        best = None
        for k in range(LIMIT - 2, len(lead) + 16, -1):
            if k < len(line) and line[k] == " " and not state[k][1] and line[k - 1] not in " \\":
                strong = re.match(r" (&&|\|\|?) ", line[k:k + 4]) or line[k - 1] == ";"
                cost = (LIMIT - k) * 0.5 + (0 if strong else 12) + state[k][0] * 10
                if re.search(r" --?\w[\w-]*$", line[:k]) and not re.match(r"-", line[k + 1:]):
                    cost += 15              # an option and its argument stay together
                if best is None or cost < best[0]:
                    best = (cost, k)
        if best is None:            # within a string in double quotes, where it means the same
            spots, quote = [], None
            for k, c in enumerate(line[:LIMIT - 1]):
                if quote is None and c in "\"'":
                    quote = c
                elif c == quote and line[k - 1] != "\\":
                    quote = None
                elif c == " " and quote == '"' and k > 40:
                    spots.append(k + 1)
            if not spots or line.rstrip().endswith("\\"):
                break
            out.append(line[:spots[-1]] + "\\")
            line = line[spots[-1]:]
            continue
        head = line[:best[1]]
        if head.endswith(";"):
            out.append(head)
            line = lead[:-4] + line[best[1] + 1:]
        else:
            out.append(head + " \\")
            line = lead + line[best[1] + 1:]
    return out + [line]


def do_markdown(text):
    out, block, fence, html = [], [], False, False

    def flush():
        if block:
            m = re.match(r"(\s*(?:[-*] |\d+\. |> )?)", block[0])
            first = m.group(1)
            rest = first if first.strip() == ">" else " " * len(first)
            words = " ".join([block[0][len(first):].strip()] + [line.strip().lstrip("> ") if first.strip() == ">" else line.strip() for line in block[1:]])
            if any(len(line) > LIMIT for line in block) or True:
                out.extend(fill(words, first, rest))
            block.clear()

    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            flush()
            fence = not fence
            out.append(line)
        elif fence or not line.strip() or re.match(r"\s*(\||#|<|!\[|\[.*\]: )", line) or re.match(r"    ", line) and not block:
            flush()
            out.append(line)
        elif re.match(r"\s*(?:[-*] |\d+\. )", line):
            flush()
            block.append(line)
        else:
            block.append(line)
        if block and line.endswith("  "):
            flush()
    flush()
    return "\n".join(out)


def set_anew(name, text, turn):
    base = name.rsplit("/", 1)[-1]
    if name.endswith((".c", ".h")):
        return do_c(name, text, turn)
    if name.endswith("tune/measure.c.in"):      # plain C, which caec copies as it is
        text = do_c(name, text, turn)
        return subprocess.run(["clang-format", "--style=file", "--assume-filename=" + str(TREE / "compiler/measure.c")], input=text,
                              check=True, capture_output=True, text=True, cwd=TREE).stdout
    if name.endswith(".def"):
        return do_c(name, text, turn)
    if name.endswith(".in"):
        return do_template(name, text)
    if name.endswith(".lua"):
        return do_marked(text, "--", "    ", lua_code)
    if name.endswith(".py"):
        return do_python(text)
    if name.endswith(".sh") or name.startswith(".ci/"):
        return do_marked(text, "#", "    ", shell_code)
    if name.endswith(".cmake") or base == "CMakeLists.txt":
        return do_marked(text, "#", "    ", lambda line, lead: cmake_line(line))
    if name.endswith(".md"):
        return do_markdown(text)
    return text


def clang_format(names):
    for i in range(0, len(names), 60):
        subprocess.run(["clang-format", "-i", "--style=file", *names[i:i + 60]], check=True, cwd=TREE)


names = list(files())
for turn in range(8):
    changed = 0
    for name in names:
        try:
            old = (TREE / name).read_text()
        except UnicodeDecodeError:
            continue
        new = set_anew(name, old, turn)
        if new != old:
            (TREE / name).write_text(new)
            changed += 1
    clang_format([name for name in names if name.endswith((".c", ".h"))])
    print("wrap: round %d set %d files anew" % (turn + 1, changed))
    if not changed:
        break
