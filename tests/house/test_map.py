"""The map that readers hold is true: the files, classes, tables and tables of terms that the documentation names."""

from __future__ import annotations

import ast
import importlib
import re
import sqlite3
from collections import defaultdict
from pathlib import Path

import grimp
import pytest

import rsspot
from rsspot.client.groups import AsyncGroups, SyncGroups
from rsspot.simulator.front.inprocess import InProcessTransport
from rsspot.state.store import StateStore
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx

SRC = Path(rsspot.__file__).parent
ROOT = SRC.parents[1]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

NAMES = {
    "config.loader": ["resolve"],
    "config.models": ["ConfigFile", "Profile"],
    "config.manager": [],
    "settings": ["ALIASES"],
    "constants": ["BASE_URL", "OAUTH_URL"],
    "auth": [],
    "client.async_client": ["AsyncSpotClient"],
    "client.sync_client": ["SpotClient"],
    "client.singleton": ["configure", "get_client"],
    "http.transport": ["SpotTransport"],
    "http.retry": ["RetryPolicy"],
    "http.cache": ["ResponseCache"],
    "state.store": ["StateStore"],
    "services": [],
    "models": [],
    "workflows": ["RegistrationWorkflow"],
    "workflows.registration": ["RegistrationWorkflow"],
    "cli": [],
    "cli_history": ["redacted"],
    "utils.serialization": ["canonical"],
    "utils.output": ["render"],
}
"""Module -> what it must offer: the names by which the project's pages and its users know it."""
GROUPS = {"organizations", "regions", "server_classes", "pricing", "cloudspaces", "inventory"} | {
    "spot_nodepools",
    "ondemand_nodepools",
}
TABLES = {"preferences", "http_cache", "command_history", "registration_ledger"}
ODD_NAMES = {
    "words",
    "noted",
    "memory",
    "ask",
    "exits",
    "here",
    "choices",
    "wiring",
    "bystanders",
    "perform",
    "machinery",
}
ODD_NAMES |= {"judging", "accepting", "carriage", "postman", "journal", "chance", "supply", "allotment", "checked"}


@pytest.mark.parametrize(("module", "names"), NAMES.items(), ids=NAMES)
def test_a_named_module_is_there(module: str, names: list[str]) -> None:
    """Under its name, with the classes and functions that it is known for."""
    found = importlib.import_module(f"rsspot.{module}")
    assert not [name for name in names if not hasattr(found, name)]


def test_both_clients_have_every_group() -> None:
    """The asynchronous ones with an `a` on SpotClient."""
    assert set(vars(AsyncGroups)) >= GROUPS
    assert set(vars(SyncGroups)) >= GROUPS | {f"a{name}" for name in GROUPS}


def test_state_db_has_the_documented_tables(tmp_path: Path) -> None:
    """Preferences, kept answers, history and registrations in one file, behind one class."""
    with StateStore(tmp_path / "state.db") as state:
        parts = (state.preferences, state.http_cache, state.history, state.ledger)
        assert all(parts)
        rows = sqlite3.connect(tmp_path / "state.db").execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        assert {name for (name,) in rows} >= TABLES


async def test_request_json_gives_the_object(spot_api: SimulatedSpot) -> None:
    """Any path of the service, as the JSON object that it answers with."""
    async with spot_api.client() as client:
        document = await client._request_json("GET", "/apis/ngpc.rxt.io/v1/regions", params={"limit": "1"})
    assert len(document["items"]) == 1


@pytest.mark.parametrize("body", [b"[]", b"hello", b"", b"3"])
async def test_request_json_refuses_everything_else(spot_api: SimulatedSpot, body: bytes) -> None:
    """With an error that names the request."""

    class Odd(InProcessTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.startswith("/oauth"):
                return await super().handle_async_request(request)
            return httpx.Response(200, content=body, request=request)

    client = rsspot.AsyncSpotClient(
        resolved=spot_api.client().config, transport=Odd(spot_api.api), clock=spot_api.clock
    )
    async with client:
        with pytest.raises(rsspot.UnexpectedShape, match="the response to GET /odd is not a JSON object"):
            await client._request_json("GET", "/odd")


# Names


def classes() -> dict[str, list[str]]:
    """Public class name -> the modules that define it."""
    found = defaultdict(list)
    for file in sorted(SRC.rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(file.relative_to(SRC)))
    return found


def test_no_public_class_name_is_defined_twice() -> None:
    """One word, one meaning: a reader who meets a class knows which it is."""
    assert not {name: places for name, places in classes().items() if len(places) > 1}


def test_files_are_named_by_ordinary_words() -> None:
    """A file has the name under which somebody who has never opened it would look."""
    names = {path.stem for path in SRC.rglob("*.py")} | {path.name for path in SRC.rglob("*") if path.is_dir()}
    assert not names & ODD_NAMES


def test_there_are_no_import_circles() -> None:
    """Not even among imports for type checkers or inside functions."""
    graph = grimp.build_graph("rsspot", exclude_type_checking_imports=False, cache_dir=None)
    below = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    while leaves := {module for module, imported in below.items() if not imported & set(below)}:
        below = {module: imported for module, imported in below.items() if module not in leaves}
    # What is left is in a circle, or imports one.
    importers = {module for module in below if not any(module in imported for imported in below.values())}
    while importers:
        below = {module: imported for module, imported in below.items() if module not in importers}
        importers = {module for module in below if not any(module in imported for imported in below.values())}
    assert not sorted(below)


# docs/architecture.md


def test_every_room_has_a_row_in_the_domain_map() -> None:
    """And every path that the map names exists."""
    rooms = {path.name for path in SRC.iterdir() if path.is_dir() and path.name != "__pycache__"}
    rooms |= {path.stem for path in SRC.glob("*.py") if not path.stem.startswith("__")}
    table = ARCHITECTURE.partition("## Domain map")[2].partition("\nWithin the simulator")[0]
    first_cells = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)
    named = {name for cell in first_cells for name in re.findall(r"`([a-z_]+)`", cell)}
    assert named == rooms
    for path in re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.(?:py|yaml))`", table):
        assert (SRC / path).exists(), path


def test_the_glossary_is_short_and_in_order() -> None:
    """At most forty terms, each once, sorted."""
    table = ARCHITECTURE.partition("## Glossary")[2].partition("\n## ")[0]
    terms = re.findall(r"^\| \*\*(.+?)\*\* \|", table, re.MULTILINE)
    assert terms == sorted(terms, key=str.lower)
    assert 20 <= len(set(terms)) == len(terms) <= 40
