"""Processes that a test leaves running: they end with it, however it ends."""

import socket
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


def free_port() -> int:
    """Return a port of loopback that a process can listen on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
