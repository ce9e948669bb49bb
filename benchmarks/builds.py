"""How long the book takes on this machine, from an empty store: one row a profile, in `builds.csv`.

    python benchmarks/builds.py [smoke quick paper]

The table stands in the book, on the page about reproducing it. Run it where nothing else is running.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import psutil
from neighborhoods.store import commit

ROOT = Path(__file__).parents[1]
TABLE = Path(__file__).with_name("builds.csv")
GIB = 2**30


def main(profiles: list[str]) -> None:
    """Build the book in each profile and keep its row, beside those of other profiles."""
    for profile in profiles:
        row = pd.DataFrame([measured(profile)])
        kept = pd.read_csv(TABLE) if TABLE.exists() else row[:0]
        table = pd.concat([kept[kept["profile"] != profile], row])
        table.to_csv(TABLE, index=False)
        print(row.to_string(index=False), flush=True)


def measured(profile: str) -> dict[str, object]:
    """Build once, in a process of its own, and say what it took."""
    command = [sys.executable, "-m", "book.build", "--profile", profile]
    before, start = _processor_time(), time.perf_counter()
    with tempfile.TemporaryDirectory() as store:
        subprocess.run(command, cwd=ROOT, env={**os.environ, "NEIGHBORHOODS_STORE": store}, check=True)
    return {
        "profile": profile,
        "minutes": round((time.perf_counter() - start) / 60, 1),
        "processor minutes": round((_processor_time() - before) / 60, 1),
        "cores": psutil.cpu_count(),
        "GiB of memory": round(psutil.virtual_memory().total / GIB),
        "processor": _processor(),
        "system": f"{platform.system()}, Python {platform.python_version()}",
        "commit": str(commit()["commit"])[:10],
    }


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _processor() -> str:
    names = [line for line in _cpuinfo().splitlines() if line.startswith("model name")]
    return names[0].partition(":")[2].strip() if names else platform.processor() or platform.machine()


def _cpuinfo() -> str:
    file = Path("/proc/cpuinfo")
    return file.read_text() if file.exists() else ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profiles", nargs="*", default=["smoke", "quick"], metavar="PROFILE")
    main(parser.parse_args().profiles)
