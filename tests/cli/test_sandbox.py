"""The sandbox's folder, and the control of it by the commands of `simulator`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rsspot.cli.app import run
from rsspot.cli.sandbox import folder
from support.shell import STACK, listed, write

CLASS = "gp.vs1.large-dfw"


def command(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Run a command; returns what it printed."""
    capsys.readouterr()
    assert run(list(arguments)) == code
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    return printed.out if code == 0 else printed.err


def test_reset_deletes_a_folder_that_the_sandbox_made(capsys: pytest.CaptureFixture[str]) -> None:
    command(capsys, "--sandbox", "regions", "list")
    assert folder().is_dir()
    assert command(capsys, "simulator", "reset") == "The sandbox was reset.\n"
    assert not folder().exists()
    assert command(capsys, "simulator", "reset") == "The sandbox is already empty.\n"


def test_reset_deletes_a_sandbox_that_began_with_an_import(capsys: pytest.CaptureFixture[str]) -> None:
    """Then its ledger is made before its world."""
    exported = Path("state.json")
    command(capsys, "--sandbox", "apply", write(STACK), "--yes", "--wait", "none")
    command(capsys, "--sandbox", "state", "export", "--out", str(exported))
    command(capsys, "simulator", "reset")
    command(capsys, "--sandbox", "state", "import", str(exported))
    assert {each.name for each in folder().iterdir()} >= {"state.db"}
    command(capsys, "simulator", "reset")
    assert not folder().exists()


def test_reset_deletes_an_empty_folder() -> None:
    """There is nothing to lose in it."""
    folder().mkdir()
    assert run(["simulator", "reset"]) == 0
    assert not folder().exists()


@pytest.mark.parametrize("used", [False, True], ids=["unused", "used as a sandbox"])
def test_reset_deletes_no_folder_of_somebody_else(capsys: pytest.CaptureFixture[str], used: bool) -> None:
    """RSSPOT_SANDBOX may name any folder by mistake."""
    folder().mkdir()
    notes = folder() / "notes.txt"
    notes.write_text("mine")
    if used:
        command(capsys, "--sandbox", "regions", "list")
    assert "was not made by rsspot" in command(capsys, "simulator", "reset", code=3)
    assert notes.read_text() == "mine"


def test_reset_follows_no_link(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Neither in place of the folder nor of the marker in it."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    folder().symlink_to(other)
    assert "was not made by rsspot" in command(capsys, "simulator", "reset", code=3)
    folder().unlink()
    command(capsys, "--sandbox", "regions", "list")
    (folder() / "link").symlink_to(other)
    command(capsys, "simulator", "reset")
    assert (other / "notes.txt").read_text() == "mine"


def test_reset_deletes_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    folder().write_text("mine")
    assert "was not made by rsspot" in command(capsys, "simulator", "reset", code=3)
    assert folder().read_text() == "mine"


def test_a_price_of_the_sandbox_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    """It holds for every later command, until it is released."""

    def market() -> str:
        listing = json.loads(command(capsys, "--sandbox", "serverclasses", "get", CLASS, "-o", "json"))
        return str(listing["status"]["spotPricing"]["marketPricePerHour"])

    assert float(market()) != 0.25
    assert command(capsys, "--sandbox", "simulator", "price", CLASS, "0.25") == f"{CLASS}: $0.25 per hour\n"
    assert float(market()) == 0.25
    command(capsys, "--sandbox", "simulator", "price", CLASS)
    assert float(market()) != 0.25


def test_faults_of_the_sandbox_hit_later_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """As often as they say, in whichever process."""
    added = command(capsys, "--sandbox", "simulator", "faults", "--add", "GET cloudspaces: 403 x2")
    assert added == "GET cloudspaces: 403 x2\n"
    for _ in range(2):
        assert "scripted fault" in command(capsys, "--sandbox", "cloudspaces", "list", code=1)
    assert listed("cloudspaces", capsys) == []
    assert "used up" in command(capsys, "--sandbox", "simulator", "faults")
    assert command(capsys, "--sandbox", "simulator", "faults", "--clear") == ""


def test_a_fault_of_the_sandbox_can_stop_a_status(capsys: pytest.CaptureFixture[str]) -> None:
    """Such a fault is hit by no request."""
    command(capsys, "--sandbox", "simulator", "faults", "--add", "cloudspaces/edge: stuck always")
    command(capsys, "--sandbox", "apply", write(STACK), "--yes", "--wait", "none")
    command(capsys, "--sandbox", "simulator", "advance", "1h")
    assert [each.get("status", {}).get("phase", "") for each in listed("cloudspaces", capsys)] == [""]


@pytest.mark.parametrize("price", ["abc", "nan", "-1", "1e5", "Infinity", "0x1", "\u0661", "", "1_0", "9999999"])
@pytest.mark.parametrize("name", [CLASS, "nothing"])
def test_an_invalid_price_is_a_usage_error(capsys: pytest.CaptureFixture[str], name: str, price: str) -> None:
    """In words, without the internals of Decimal."""
    message = command(capsys, "--sandbox", "simulator", "price", name, "--", price, code=3)
    assert "is not a price" in message or "unknown server class" in message
    assert "decimal" not in message.lower()


def test_the_sandbox_has_no_url(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--sandbox", "simulator", "faults", "--url", "http://127.0.0.1:1")
    assert "exclude each other" in command(capsys, *arguments, code=3)


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:99999", "http://127.0.0.1:x"])
def test_an_invalid_url_is_a_usage_error(capsys: pytest.CaptureFixture[str], url: str) -> None:
    assert "is not a simulator on this machine" in command(capsys, "simulator", "advance", "1m", "--url", url, code=3)


def test_a_new_sandbox_starts_when_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RSSPOT_SANDBOX_START", "2026-03-01T00:00:00Z")
    printed = command(capsys, "--sandbox", "simulator", "advance", "1s")
    assert "2026-03-01" in printed
    monkeypatch.setenv("RSSPOT_SANDBOX_START", "soon")
    command(capsys, "--sandbox", "regions", "list")


def test_a_start_that_is_no_moment_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RSSPOT_SANDBOX_START", "soon")
    assert "RSSPOT_SANDBOX_START is no moment" in command(capsys, "--sandbox", "regions", "list", code=3)
