"""Fixtures that run simulators as processes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

READY_WITHIN = 60.0
ENDS_WITHIN = 60.0


def catches(process, number):
    """Wait until a process has installed a handler for a signal. Returns at once on systems without /proc."""
    about, deadline = Path(f"/proc/{process.pid}/status"), time.monotonic() + READY_WITHIN
    while about.exists() and not int(re.search(r"SigCgt:\s*(\w+)", about.read_text())[1], 16) >> (number - 1) & 1:
        assert time.monotonic() < deadline, "the signal is not caught"
        time.sleep(0.01)


def environment_at(home):
    """Environment variables without any real service, and with this home directory."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RSSPOT_", "SPOT_"))}
    return {**kept, "HOME": str(home)}


@contextmanager
def servers(folder):
    """Start `rsspot simulator serve` processes: (process, ready content, ready path). Kills them at the end."""
    started = []

    def start(*options):
        ready = folder / f"ready-{len(started)}.json"
        command = [sys.executable, "-m", "rsspot", "simulator", "serve", "--ready-file", str(ready), *options]
        process = subprocess.Popen(
            command, env=environment_at(folder), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        started.append(process)
        deadline = time.monotonic() + READY_WITHIN
        while not ready.exists():
            assert process.poll() is None, "the server ended before it was ready"
            assert time.monotonic() < deadline, "the server was not ready in time"
            time.sleep(0.02)
        return process, json.loads(ready.read_text()), ready

    try:
        yield start
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
            process.wait(ENDS_WITHIN)


@pytest.fixture
def environment(tmp_path):
    """Environment variables without any real service or home directory."""
    return environment_at(tmp_path)


@pytest.fixture
def serve(tmp_path):
    """Starts servers of one test."""
    with servers(tmp_path) as start:
        yield start


@pytest.fixture
def stop():
    """Terminate a server and return its exit code."""

    def end(process):
        process.send_signal(signal.SIGTERM)
        return process.wait(ENDS_WITHIN)

    return end
