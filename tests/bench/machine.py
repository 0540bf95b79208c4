"""What the figures of a comparison depend on besides the programs: the processor, the kernel, the
compiler, the environment."""
import os
import platform
import subprocess

# Settings of the environment that change how fast a framework runs. They are left as they are and
# written down.
PREFIXES = ("OMP_", "KMP_", "GOMP_", "OPENBLAS_", "MKL_", "ONEDNN_", "DNNL_", "ATEN_",
            "TF_ENABLE_", "TF_NUM_", "TF_XLA_", "LD_PRELOAD", "MALLOC_")


def first_line(command):
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env=dict(os.environ, LC_ALL="C")
        )
        return done.stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def lscpu():
    """The lines of lscpu that say what processor this is; empty where there is no such program."""
    try:
        done = subprocess.run(
            ["lscpu"], capture_output=True, text=True, check=True, env=dict(os.environ, LC_ALL="C")
        )
    except (OSError, subprocess.CalledProcessError):
        return {}
    pairs = (line.split(":", 1) for line in done.stdout.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def vectors(flags):
    """The widest vectors of an x86 processor."""
    for name, flag in (("AVX-512", "avx512f"), ("AVX2", "avx2"), ("SSE4.2", "sse4_2")):
        if flag in flags:
            return name
    return "unknown"


def describe():
    cpu = lscpu()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": cpu.get("Model name", platform.machine()),
        "family": cpu.get("CPU family"),
        "model": cpu.get("Model"),
        "architecture": platform.machine(),
        "vectors": vectors(cpu.get("Flags", "").split()),
        "cores": os.cpu_count(),
        "threads_per_core": cpu.get("Thread(s) per core"),
        "cores_usable": len(os.sched_getaffinity(0)),
        "l2_cache": cpu.get("L2 cache"),
        "l3_cache": cpu.get("L3 cache"),
        "hypervisor": cpu.get("Hypervisor vendor"),
        "memory_gib": round(memory / 2**30, 1),
        "kernel": platform.release(),
        "compiler": first_line(["cc", "--version"]),
        "load_before": os.getloadavg()[0],
        "environment": {k: v for k, v in sorted(os.environ.items()) if k.startswith(PREFIXES)},
    }


def line(here):
    """What describe() found, as a reader wants it."""
    return (
        "%s (family %s, model %s, %s), %s cores of which %s usable, L2 %s, L3 %s, %s GiB, Linux "
        "%s; %s"
        % (
            here["processor"],
            here["family"],
            here["model"],
            here["vectors"],
            here["cores"],
            here["cores_usable"],
            here["l2_cache"],
            here["l3_cache"],
            here["memory_gib"],
            here["kernel"],
            here["compiler"],
        )
    )
