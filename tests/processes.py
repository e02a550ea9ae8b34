"""Processes that a test leaves running: they end with it, however it ends."""

import sys
from collections.abc import Sequence
from pathlib import Path

# Asks the kernel for SIGTERM when the parent dies, which lasts over `exec`; PR_SET_PDEATHSIG is 1.
BOUND = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def bound(command: Sequence[str | Path]) -> list[str | Path]:
    """Return `command` as it is run by a process that dies with the tests, on Linux.

    What it starts in its turn is its own to end, as at every SIGTERM.
    """
    return [sys.executable, "-c", BOUND, *command]
