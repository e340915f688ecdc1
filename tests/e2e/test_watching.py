"""The command watch as a process: how signals end it, and what its endpoints answer."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.shell import STACK

Serve = Callable[..., tuple[Any, dict[str, str]]]


class Watching:
    """The command in a process of its own, against a served simulator."""

    def __init__(self, about: dict[str, str], environment: dict[str, str], folder: Path, *words: str) -> None:
        (folder / "stack.yaml").write_text(STACK)
        names = {"BASE_URL": "base_url", "OAUTH_URL": "oauth_url", "REFRESH_TOKEN": "refresh_token"}
        account = {f"RSSPOT_{name}": about[key] for name, key in names.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rsspot", "watch", "stack.yaml", *words],
            env={**os.environ, **environment, **account, "RSSPOT_ORGANIZATION": about["organization"]},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """The next line of what it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def ended(self) -> tuple[int, str]:
        """Its exit code and what it complained of."""
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors


@pytest.fixture
def start(serve: Serve, environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Watching]]:
    """Starts the command; ends what a failed test left."""
    started: list[Watching] = []

    def begin(*words: str, fault: str | None = None) -> Watching:
        about = serve(*(["--fault", fault] if fault else []))[1]
        started.append(Watching(about, environment, tmp_path, *words))
        return started[-1]

    yield begin
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(start: Callable[..., Watching], number: int) -> None:
    """Between two rounds, at once: that is how whoever runs it ends it."""
    watching = start("--interval", "1h")
    assert "round 1: out-of-sync" in watching.line()
    watching.process.send_signal(number)
    code, errors = watching.ended()
    assert (code, "Traceback" in errors) == (0, False)


def test_the_endpoints_answer_while_it_runs(start: Callable[..., Watching]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    watching = start("--interval", "1h", "--listen", str(port))
    assert "round 1" in watching.line()
    for path, words in {
        "healthz": "ok",
        "readyz": "ok",
        "metrics": 'rsspot_rounds_total{outcome="out-of-sync"',
    }.items():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=30) as answer:
            assert words in answer.read().decode()
    watching.process.terminate()
    assert watching.ended()[0] == 0
