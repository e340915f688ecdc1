"""What is printed: rows that fit a terminal, data as it is, and documents that a script can read."""

from __future__ import annotations

import json
import time
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from support.loopback_server import SPEC

ROOT = Path(__file__).parents[2]
LISTS = [
    "regions list",
    "serverclasses list",
    "pricing list",
    "organizations list",
    "cloudspaces list",
    "spotnodepools list",
    "events list",
    "profiles list",
    "history list",
    "config explain",
    "inventory list",
]


@pytest.fixture
def busy(account):
    """An account with something in every list."""
    spec = {"cloudSpace": "web", "serverClass": "gp.vs1.large-dfw", "desired": 2, "bidPrice": "0.06"}
    account.make("cloudspaces", "web", SPEC)
    account.make("spotnodepools", "11111111-1111-4111-8111-111111111111", spec)
    servers = {"a": {"IP": "192.0.2.1", "serverName": "a", "serverClassName": "gp.vs1.large-dfw", "state": "Ready"}}
    with account.world.lock:
        (body,) = account.world.store.objects("cloudspaces")
        account.world.store.put("cloudspaces", {**body, "status": {"assignedServers": servers}})
    with account.world.store.transaction():
        namespace = account.world.organizations[0].namespace
        account.world.store.add_event(namespace, "web", "2026-01-01T00:00:00Z", "[gen1] won [/b] [bold]3[/bold]")
    return account


@pytest.mark.defect(40)
@pytest.mark.parametrize("line", LISTS)
def test_a_list_is_rows(busy, rsspot, line):
    """Otherwise a table is one cell of Python."""
    assert rsspot("organizations", "list").code == 0
    for _ in range(2):
        ended = rsspot(*line.split())
    assert ended.code == 0
    assert "{'" not in ended.out and "'}" not in ended.out
    lines = ended.out.splitlines()
    rows = rsspot(*line.split(), "-o", "json").json
    if not rows:
        assert lines == ["Nothing found."]
        return
    assert lines[0] == lines[0].upper()
    # The history may have grown by the command itself.
    assert len(lines) - len(rows) in ((0, 1) if line.startswith("history") else (1,))


@pytest.mark.defect(40)
@pytest.mark.parametrize("output", ["table", "json", "yaml"])
def test_data_is_not_taken_for_markup(busy, rsspot, output):
    """Otherwise words are eaten, colors appear and a bracket ends the command."""
    told = rsspot("events", "list", "-o", output)
    assert told.code == 0
    assert "[gen1] won [/b] [bold]3[/bold]" in told.out


@pytest.mark.defect(40)
@pytest.mark.parametrize("output", ["table", "json", "yaml"])
def test_data_cannot_steer_a_terminal(busy, rsspot, output):
    """Otherwise a name can hide what stands before it."""
    with busy.world.store.transaction():
        namespace = busy.world.organizations[0].namespace
        busy.world.store.add_event(namespace, "web", "2026-01-01T00:00:01Z", "\x1b[2Jgone\x07\r\u202e")
    told = rsspot("events", "list", "-o", output)
    assert told.code == 0
    assert "gone" in told.out
    assert not {"\x1b", "\x07", "\r"} & set(told.out)


@pytest.mark.defect(40)
@pytest.mark.parametrize("output", ["table", "json", "yaml"])
def test_a_long_list_is_printed_at_once(account, rsspot, output):
    """Otherwise printing ten thousand rows takes a minute."""
    for number in range(3000):
        account.make("cloudspaces", f"c{number:04}", SPEC)
    began = time.process_time()
    assert rsspot("cloudspaces", "list", "-o", output).code == 0
    assert time.process_time() - began < 15


@pytest.mark.parametrize("line", LISTS)
def test_the_same_is_said_in_json_and_yaml(busy, rsspot, line):
    """A script may read either."""
    if line.startswith(("history", "config")):
        pytest.skip("changes with every command")
    as_json, as_yaml = (rsspot(*line.split(), "-o", output).out for output in ("json", "yaml"))
    assert json.loads(as_json) == yaml.safe_load(as_yaml)


@pytest.mark.defect(15)
def test_what_is_installed_is_what_is_asked_for():
    """Otherwise a floor is written down on which nothing starts."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert len(project["dependencies"]) <= 8
    for each in project["dependencies"]:
        name, floor = each.split(">=")
        wanted = tuple(int(part) for part in floor.split(",")[0].split("."))
        installed = tuple(int(part) for part in metadata.version(name).split(".")[: len(wanted)] if part.isdigit())
        assert installed >= wanted, name
    pins = (ROOT / "requirements" / "run.txt").read_text()
    assert all(f"{each.split('>=')[0].replace('.', '-')}==" in pins for each in project["dependencies"])


@pytest.mark.defect(15)
def test_no_command_depends_on_a_library_that_another_one_brings():
    """Otherwise that one's next version breaks it."""
    for file in (ROOT / "src" / "rsspot").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "import click" not in text and "from click" not in text, file
        assert "import rich" not in text and "from rich" not in text, file
