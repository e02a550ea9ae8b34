"""Commands measured from outside, each with all the processes that it starts."""

import json
import os
import re
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

PAUSE = 0.05  # seconds between two looks at the memory


class Run(NamedTuple):
    """What one run of a command came to."""

    output: dict[str, Any]
    """The JSON object in the last line that it printed."""
    seconds: float
    cpu_seconds: float
    """Of the command and of what it started and waited for, user and system."""
    peak_mib: float
    """Most memory that they held together, pages that they share counted once."""


def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end.

    Args:
        command: What to run.
        environment: Variables beside those of this process.

    Raises:
        CalledProcessError: It failed.
    """
    before, started = _cpu_of_children(), time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | dict(environment or {})
    ) as process:
        watch = _Watch(process.pid)
        watch.start()
        printed, _ = process.communicate()
        seconds = time.perf_counter() - started
        watch.end()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, printed)
    output = json.loads(printed.splitlines()[-1])
    return Run(output, seconds, _cpu_of_children() - before, watch.peak_mib)


class _Watch(threading.Thread):
    """Looks at the memory of a process and its descendants until it is told to end."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_mib = 0.0
        self._pid = pid
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(PAUSE):
            self.peak_mib = max(self.peak_mib, tree_mib(self._pid))

    def end(self) -> None:
        self._ended.set()
        self.join()


def tree_mib(root: int) -> float:
    """Return the memory that a process and its descendants hold, in MiB."""
    kib, line = 0, [root]
    while line:
        folder = Path("/proc") / str(line.pop())
        try:
            rollup = (folder / "smaps_rollup").read_text(encoding="ascii")
            kib += sum(int(size) for size in re.findall(r"^Pss:\s+(\d+)", rollup, re.MULTILINE))
            for children in folder.glob("task/*/children"):
                line += [int(pid) for pid in children.read_text(encoding="ascii").split()]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
    return kib / 1024


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
