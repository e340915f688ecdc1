"""A state.db with bytes of it flipped, zeroed or overwritten anywhere: ordinary errors, and never a change."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from rsspot.cli.app import run
from rsspot.cli.sandbox import folder
from support.amount import amount
from support.shell import STACK, listed, write

COMMANDS = (
    ["plan", "stack.yaml"],
    ["ledger", "runs"],
    ["ledger", "show", "1"],
    ["ledger", "steps", "2"],
    ["ledger", "verify"],
    ["ledger", "export"],
    ["ledger", "prune", "--keep", "1d", "--yes"],
    ["history", "list"],
    ["apply", "stack.yaml", "--yes", "--wait", "none"],
)
CASES = amount(12, 300)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory, with its own home and sandbox."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RSSPOT_SANDBOX", str(tmp_path / "sandbox"))
    monkeypatch.chdir(tmp_path)


def corrupted(good: bytes, seed: int) -> bytes:
    """A few places of a file with something else in them."""
    chance = random.Random(seed)
    content = bytearray(good)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        start = chance.randrange(len(content))
        length = min(chance.choice((1, 1, 1, 16, 512, 4096)), len(content) - start)
        how = chance.choice(("flip", "zero", "random"))
        if how == "flip":
            content[start] ^= 1 << chance.randrange(8)
        else:
            content[start : start + length] = bytes(length) if how == "zero" else chance.randbytes(length)
    return bytes(content)


def put(file: Path, content: bytes) -> None:
    """Make a file hold this, without what another one left beside it."""
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    file.write_bytes(content)


def living(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The objects as they are, with the versions that every write counts up."""
    found = [each for plural in ("cloudspaces", "spotnodepools") for each in listed(plural, capsys)]
    return [{"metadata": each["metadata"], "spec": each["spec"]} for each in found]


@pytest.mark.timeout(3000)
def test_no_corruption_is_a_defect_or_a_change(capsys: pytest.CaptureFixture[str]) -> None:
    """The objects are as their manifests want them, so whatever a command changed would be wrong."""
    for text in (STACK, STACK.replace("desired: 2", "desired: 3")):
        assert run(["--sandbox", "apply", write(text), "--yes", "--wait", "none"]) == 0
    file = folder() / "state.db"
    good = file.read_bytes()
    wanted = living(capsys)
    for seed in range(CASES):
        put(file, corrupted(good, seed))
        for command in COMMANDS:
            code = run(["--sandbox", *command])
            err = capsys.readouterr().err
            assert "internal error" not in err and "Traceback" not in err, (seed, command, err)
            assert code in (0, 1, 3, 10), (seed, command, code, err)
            assert code == 0 or command[1] == "verify" or "hint: " in err, (seed, command, err)
        put(file, good)
        assert living(capsys) == wanted, seed
