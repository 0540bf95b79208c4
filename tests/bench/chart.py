"""The result of compare.py as an SVG: a row a program, a column of bars a figure, ours highlighted.

`result` is the object of bench.json.
"""
from xml.sax.saxutils import escape

import report

LABEL, COLUMN, GAP = 250, 150, 22          # widths
ROW, BAR, HEAD, TITLE = 30, 18, 62, 34     # heights
ROOM_FOR_NUMBER = 52                       # right of the longest bar
OURS, OTHERS, INK, PALE = "#c2410c", "#94a3b8", "#1e293b", "#64748b"


def columns(result):
    """(heading, the line under it, the median's key, form) of each column of bars."""
    threads = result["threads"]
    found = [
        ("Training", "images/s, more is better", "train_images_per_second", "%.1f"),
        ("Training: peak memory", "MiB, less is better", "train_peak_mib", "%.0f"),
        ("Forward in batches", "images/s, more is better", "forward_images_per_second", "%.0f"),
        ("One image, 1 thread", "ms, less is better", "latency_ms_1_thread", "%.1f"),
    ]
    if threads > 1:
        found.append(
            ("One image, %d threads" % threads, "ms, less is better", "latency_ms", "%.1f")
        )
    return found


def text(x, y, content, size=13, fill=INK, weight="normal"):
    return '<text x="%g" y="%g" font-size="%d" fill="%s" font-weight="%s">%s</text>' % (
        x,
        y,
        size,
        fill,
        weight,
        escape(content),
    )


def pen(row):
    return {"fill": OURS, "weight": "bold"} if row["ours"] else {}


def bar(row, column, x, y, longest):
    """One bar with its number after it, or a dash where the program has no such figure."""
    value = row["median"].get(column[2])
    middle = y + ROW / 2 + 5
    if value is None:
        return [text(x, middle, "–", fill=PALE)]
    width = max(1.5, (COLUMN - ROOM_FOR_NUMBER) * value / longest)
    return ['<rect x="%g" y="%g" width="%.1f" height="%d" rx="2" fill="%s"/>' % (
        x, y + (ROW - BAR) / 2, width, BAR, OURS if row["ours"] else OTHERS),
            text(x + width + 6, middle, column[3] % value, **pen(row))]


def section(result, rows, y):
    """The rows of one group from y on; (elements, the y below them). Both groups share each
    column's scale."""
    elements = []
    measured = [row for row in result["programs"] if row["rounds"]]
    for row in rows:
        elements.append(text(16, y + ROW / 2 + 5, row["label"], **pen(row)))
        for number, column in enumerate(columns(result)):
            longest = max((r["median"].get(column[2], 0) for r in measured), default=0) or 1
            elements += bar(row, column, LABEL + number * (COLUMN + GAP), y, longest)
        y += ROW
    return elements, y


def svg(result):
    heads = columns(result)
    width = LABEL + len(heads) * (COLUMN + GAP)
    here = result["machine"]
    elements = [
        text(
            16,
            28,
            "One convolutional autoencoder (224x224x3), trained and run: caec and other frameworks",
            17,
            weight="bold",
        )
    ]
    for number, column in enumerate(heads):
        x = LABEL + number * (COLUMN + GAP)
        elements += [
            text(x, HEAD, column[0], weight="bold"),
            text(x, HEAD + 16, column[1], 11, PALE),
        ]
    y = HEAD + 26
    for group, title in report.GROUPS:
        rows = [row for row in report.rows_of(result, group) if row["rounds"]]
        if not rows:
            continue
        if group:
            elements.append(text(16, y + TITLE - 10, title, 13, PALE, "bold"))
            y += TITLE
        more, y = section(result, rows, y)
        elements += more
    note = "%s (%s), %s, batch %d, float32, medians of %s" % (
        here["processor"],
        here["vectors"],
        report.count(result["threads"], "thread"),
        result["batch"],
        report.count(result["rounds"], "round"),
    )
    elements.append(text(16, y + 26, note, 12, PALE))
    height = y + 44
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" '
        'font-family="Helvetica, Arial, sans-serif">\n<rect width="100%%" height="100%%" '
        'fill="#ffffff"/>\n%s\n</svg>\n'
        % (width, height, width, height, "\n".join(elements))
    )
