"""The result of compare.py as tables, in text and in Markdown. `result` is the object of
bench.json."""
import machine

GROUPS = (
    ("", "The processor's own vectors"),
    ("AVX2", "AVX2 only: caec for x86-64-v3, PyTorch held to AVX2"),
)


def rows_of(result, group):
    return [row for row in result["programs"] if row["group"] == group]


def ratio_to_ours(row, rows):
    """Its training images/s over those of our program in the same group; None where one of the two
    has none."""
    ours = [r for r in rows if r["ours"] and r["group"] == row["group"]]
    theirs = row["median"].get("train_images_per_second")
    base = ours[0]["median"].get("train_images_per_second") if ours else None
    return theirs / base if theirs and base else None


def ratios(rows):
    """The figures that compare figures: a dictionary for bench.json."""
    found = {
        "over_caec": {row["name"]: ratio_to_ours(row, rows) for row in rows if not row["ours"]}
    }
    ours = rows[0]["median"]

    def over(name, key, base):
        if key in ours and base in ours:
            found[name] = ours[key] / ours[base]

    over("all_threads_over_one", "train_images_per_second", "train_images_per_second_1_thread")
    over("effective_over_fma_peak", "effective_gflops", "fma_peak_gflops")
    over("pictures_over_made_up", "pictures_images_per_second", "made_up_images_per_second")
    return found


def columns(result):
    """(two lines of heading, the cell of a row) of each column."""
    rows = result["programs"]
    threads = result["threads"]

    def figure(key, form):
        return lambda row: form % row["median"][key] if key in row["median"] else "-"

    def ratio(row):
        value = ratio_to_ours(row, rows)
        return "%.2f" % value if value else "-"

    found = [
        ("training", "images/s", figure("train_images_per_second", "%.1f")),
        ("ratio", "to caec", ratio),
        ("training", "ms a step", figure("train_ms_per_step", "%.0f")),
        ("training", "peak MiB", figure("train_peak_mib", "%.0f")),
        ("forward", "images/s", figure("forward_images_per_second", "%.1f")),
        ("one image", "ms, 1 thread", figure("latency_ms_1_thread", "%.2f")),
    ]
    if threads > 1:
        found.append(("one image", "ms, %d threads" % threads, figure("latency_ms", "%.2f")))
    return found + [("inference", "peak MiB", figure("infer_peak_mib", "%.0f"))]


def absent(rows):
    return [
        "%s: not here (%s)" % (row["label"], row["missing"]) for row in rows if row["missing"]
    ] + ["%s: failed (%s)" % (row["label"], row["failed"]) for row in rows if row["failed"]]


def table_text(result, rows):
    heads = columns(result)
    lines = [["", *[head[0] for head in heads]], ["", *[head[1] for head in heads]]]
    lines += [[row["label"], *[head[2](row) for head in heads]] for row in rows if row["rounds"]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    shown = [
        "  ".join(
            [line[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        )
        for line in lines
    ]
    shown.insert(2, "-" * len(shown[0]))
    return [line.rstrip() for line in shown]


def table_markdown(result, rows):
    heads = columns(result)
    lines = [
        "| | " + " | ".join("%s, %s" % head[:2] for head in heads) + " |",
        "|---|" + "---:|" * len(heads),
    ]
    for row in rows:
        if row["rounds"]:
            cells = [row["label"], *[head[2](row) for head in heads]]
            lines.append(
                "| " + " | ".join("**%s**" % cell if row["ours"] else cell for cell in cells) + " |"
            )
    return lines


def count(number, noun):
    return "%d %s%s" % (number, noun, "" if number == 1 else "s")


def setting(result):
    """What was measured and on what: sentences."""
    return [
        machine.line(result["machine"]) + ".",
        "%s, batch %d, float32; medians of %s of %s after warm-ups, the programs in turn."
        % (
            count(result["threads"], "thread"),
            result["batch"],
            count(result["rounds"], "round"),
            count(result["steps"], "update"),
        ),
        "Forward: the better of batches of 16 and of %d (caec: of 8 a thread)." % result["batch"],
    ]


def remarks(result):
    """The figures of ours that no peer has: sentences."""
    ours = result["programs"][0]["median"]
    found = result["ratios"]
    lines = []
    if "effective_over_fma_peak" in found:
        lines.append(
            "caec trains at %.0f effective GFLOP/s, counted as direct convolution; the FMA peak, "
            "measured in the same process "
            "with the same threads, is %.0f: ratio %.2f."
            % (ours["effective_gflops"], ours["fma_peak_gflops"], found["effective_over_fma_peak"])
        )
    if "all_threads_over_one" in found:
        lines.append(
            "caec's training with %d threads over 1 thread: %.1f / %.1f images/s = %.2f."
            % (
                result["threads"],
                ours["train_images_per_second"],
                ours["train_images_per_second_1_thread"],
                found["all_threads_over_one"],
            )
        )
    if "pictures_over_made_up" in found:
        lines.append(
            "caec's training on photographs from disk, from the second epoch on, over made-up "
            "data: "
            "%.1f / %.1f images/s = %.2f."
            % (
                ours["pictures_images_per_second"],
                ours["made_up_images_per_second"],
                found["pictures_over_made_up"],
            )
        )
    return lines


def sections(result, table, heading):
    lines = []
    for group, title in GROUPS:
        rows = rows_of(result, group)
        if rows:
            lines += [heading % title, "", *table(result, rows), ""]
            lines += ["- " + line for line in absent(rows)] + ([""] if absent(rows) else [])
    return lines


def text(result):
    return (
        "\n".join(setting(result) + [""] + sections(result, table_text, "%s:") + remarks(result))
        + "\n"
    )


def markdown(result):
    lines = ["# caec and other frameworks", "", *setting(result), ""] + sections(
        result, table_markdown, "## %s"
    )
    lines += ["- " + line for line in remarks(result)]
    return "\n".join(lines) + "\n"
