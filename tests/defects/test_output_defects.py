"""Output: rows that fit a terminal, unmodified data, and documents that scripts can read."""

from __future__ import annotations

import json
import sys
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
    """An account with an entry in every list."""
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
def test_a_list_is_printed_as_rows(busy, rsspot, line):
    """Otherwise a table is one cell with a Python literal."""
    assert rsspot("organizations", "list").code == 0
    for _ in range(2):
        ended = rsspot(*line.split())
    assert ended.code == 0
    assert "{'" not in ended.out and "'}" not in ended.out
    lines = ended.out.splitlines()
    rows = rsspot(*line.split(), "-o", "json").json
    if not rows:
        assert lines == []
        return
    assert lines[0] == lines[0].upper()
    # The history may have grown by the command itself.
    assert len(lines) - len(rows) in ((0, 1) if line.startswith("history") else (1,))


@pytest.mark.defect(40)
@pytest.mark.parametrize("output", ["table", "json", "yaml"])
def test_data_is_not_interpreted_as_markup(busy, rsspot, output):
    """Otherwise words disappear, colors appear, and a bracket breaks the command."""
    ended = rsspot("events", "list", "-o", output)
    assert ended.code == 0
    assert "[gen1] won [/b] [bold]3[/bold]" in ended.out


@pytest.mark.defect(40)
@pytest.mark.parametrize("output", ["table", "json", "yaml"])
def test_control_characters_in_data_are_escaped(busy, rsspot, output):
    """Otherwise a name can hide the text before it."""
    with busy.world.store.transaction():
        namespace = busy.world.organizations[0].namespace
        busy.world.store.add_event(namespace, "web", "2026-01-01T00:00:01Z", "\x1b[2Jgone\x07\r\u202e")
    ended = rsspot("events", "list", "-o", output)
    assert ended.code == 0
    assert "gone" in ended.out
    assert not {"\x1b", "\x07", "\r"} & set(ended.out)


@pytest.mark.defect(40)
@pytest.mark.parametrize("output", ["table", "json", "yaml"])
def test_a_long_list_is_printed_quickly(account, rsspot, output):
    """Otherwise printing ten thousand rows takes a minute."""
    for number in range(3000):
        account.make("cloudspaces", f"c{number:04}", SPEC)
    calls = 0

    def counted(*_: object) -> None:
        nonlocal calls
        calls += 1

    # Calls and returns, which are as many on a busy machine.
    sys.setprofile(counted)
    try:
        ended = rsspot("cloudspaces", "list", "-o", output)
    finally:
        sys.setprofile(None)
    assert ended.code == 0
    assert calls < 3000 * 3000


@pytest.mark.parametrize("line", LISTS)
def test_json_and_yaml_output_are_equal(busy, rsspot, line):
    """Scripts may read either."""
    if line.startswith(("history", "config")):
        pytest.skip("changes with every command")
    as_json, as_yaml = (rsspot(*line.split(), "-o", output).out for output in ("json", "yaml"))
    assert json.loads(as_json) == yaml.safe_load(as_yaml)


@pytest.mark.defect(15)
def test_installed_versions_satisfy_the_declared_dependencies():
    """Otherwise a declared minimum version may not work at all."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert len(project["dependencies"]) <= 8
    for requirement in project["dependencies"]:
        name, minimum = requirement.split(">=")
        wanted = tuple(int(part) for part in minimum.split(",")[0].split("."))
        installed = tuple(int(part) for part in metadata.version(name).split(".")[: len(wanted)] if part.isdigit())
        assert installed >= wanted, name
    pins = (ROOT / "requirements" / "run.txt").read_text()
    assert all(f"{requirement.split('>=')[0].replace('.', '-')}==" in pins for requirement in project["dependencies"])


@pytest.mark.defect(15)
def test_no_transitive_dependency_is_imported():
    """Otherwise a new version of the library that depends on it may break rsspot."""
    for file in (ROOT / "src" / "rsspot").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "import click" not in text and "from click" not in text, file
        assert "import rich" not in text and "from rich" not in text, file
