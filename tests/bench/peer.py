"""What the peers share: their options, medians after warm-ups, the peak of memory, and the one JSON
object that each prints.

    peer, version, threads, batch, steps, parameters
    images_per_second, ms_per_step     training: the median update of `batch` images (task train)
    forward_images_per_second          reconstruction in batches: the better of 16 images (as cae-
                                       infer's bench on two threads) and
                                       `batch` images (task forward)
    latency_ms                         one image (task latency)
    peak_rss_mb                        MiB, of this process; of the training where it trained

A key that was not measured is left out. The pictures are float32 numbers that lie in memory before
the clock starts.
"""
import argparse
import json
import statistics
import time

FORWARD_BATCH = 16
WARM_UPS = 2
LATENCY_SECONDS, LATENCY_RUNS = 1.0, 20
TASKS = ("train", "forward", "latency")


def parser(description, tasks=TASKS):
    """The options of every peer; add others before parsing."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--tasks", default=",".join(tasks), help="what to measure, of %(default)s")
    options.add_argument("--threads", type=int, default=2, help="(%(default)s)")
    options.add_argument("--batch", type=int, default=64, help="pictures an update (%(default)s)")
    options.add_argument(
        "--steps", type=int, default=5, help="updates and batches to measure (%(default)s)"
    )
    options.add_argument(
        "--version",
        action="store_true",
        help="load the framework, print its name and version, and stop",
    )
    return options


def peak_mib():
    """VmHWM and not getrusage's figure, which starts at the size of the process that started this
    one."""
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    raise OSError("/proc/self/status has no VmHWM")


def median_seconds(run, runs, seconds=0.0):
    """The median time of run(), called `runs` times and for `seconds`, whichever is longer, after
    warm-ups."""
    for _ in range(WARM_UPS):
        run()
    times = []
    began = time.perf_counter()
    while len(times) < runs or time.perf_counter() - began < seconds:
        before = time.perf_counter()
        run()
        times.append(time.perf_counter() - before)
    return statistics.median(times)


def measure(options, name, version, parameters=None, train=None, forward=None):
    """Prints the object. train() makes one update; forward(n) gives a function that reconstructs n
    pictures."""
    result = {
        "peer": name,
        "version": version,
        "threads": options.threads,
        "batch": options.batch,
        "steps": options.steps,
    }
    tasks = options.tasks.split(",")
    if parameters is not None:
        result["parameters"] = parameters
    if "train" in tasks and train:
        seconds = median_seconds(train, options.steps)
        result.update(
            images_per_second=options.batch / seconds,
            ms_per_step=seconds * 1e3,
            peak_rss_mb=peak_mib(),
        )
    if "forward" in tasks and forward:
        rates = [
            n / median_seconds(forward(n), options.steps)
            for n in sorted({FORWARD_BATCH, options.batch})
        ]
        result["forward_images_per_second"] = max(rates)
    if "latency" in tasks and forward:
        result["latency_ms"] = 1e3 * median_seconds(forward(1), LATENCY_RUNS, LATENCY_SECONDS)
    result.setdefault("peak_rss_mb", peak_mib())
    print(json.dumps(result))
