"""A test that is killed leaves no process of its own behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import bound

ROOT = Path(__file__).parents[1]
TEST = """
import subprocess, sys, time
from tests.processes import bound
child = subprocess.Popen(bound([sys.executable, "-c", sys.argv[1]]), start_new_session=True)
time.sleep(600)
"""
SERVER = "import time; print('up', flush=True); time.sleep(600)"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent")
def test_what_a_killed_test_left_running_ends() -> None:
    test = subprocess.Popen(
        [sys.executable, "-c", TEST, SERVER],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert test.stdout is not None
    with test.stdout as output:
        assert output.readline() == "up\n"
        test.send_signal(signal.SIGKILL)
        assert test.wait() == -signal.SIGKILL
        assert output.read() == ""  # to the end: nobody has the other side any more


def test_a_bound_process_is_the_command_itself() -> None:
    print_pid = [sys.executable, "-c", "import os; print(os.getpid())"]
    with subprocess.Popen(bound(print_pid), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert int(process.stdout.read()) == process.pid
