"""Conventions of the code base: file docstrings, names, uniform services, and a light start-up."""

import ast
import importlib
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rsspot import services
from rsspot.cli.command_table import OWN, groups
from rsspot.resources.registry import kinds, part
from rsspot.resources.sync_twins import Blocking, blocking

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "src" / "rsspot").rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_first_line_says_what_the_file_is_for(file: Path) -> None:
    """A new reader knows after one sentence whether to read on."""
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    assert docstring and docstring.splitlines()[0].rstrip(".:") != "", file


def test_no_two_test_files_have_one_name() -> None:
    """pytest imports them by their names alone, and could collect only one of the two."""
    names = [file.name for file in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(set(names)) == sorted(names)


def test_no_vague_file_name() -> None:
    """Names such as data, info, helper and handler say nothing about the content."""
    vague = {"data", "info", "helper", "helpers", "handler"}
    assert not [file for file in FILES if file.stem in vague]


def test_every_command_group_exists() -> None:
    """The names that --help lists without importing anything are kinds, or have their own commands."""
    plurals = {kind.plural for kind in kinds().values() if "list" in kind.verbs}
    special = {name for name, (folder, _) in groups().items() if part(folder, "cli")}
    assert set(groups()) == plurals | special


def test_help_of_a_group_is_the_summary_of_its_kind() -> None:
    """--help uses a copy of the summary, which must not drift."""
    for kind in kinds().values():
        if kind.plural in groups():
            assert groups()[kind.plural][1] == kind.summary


def test_no_command_hides_another() -> None:
    """A service cannot take the name of a built-in command."""
    assert not set(OWN) & set(groups())


@pytest.mark.parametrize("folder", services.folders())
def test_every_public_coroutine_has_a_blocking_twin(folder: str) -> None:
    """Everything that can be awaited can also be called."""
    api = part(folder, "api")
    for cls in vars(api).values() if api else ():
        twin = getattr(api, f"Blocking{getattr(cls, '__name__', '')}", None)
        if not inspect.isclass(cls) or twin is None or issubclass(cls, Blocking):
            continue
        wanted = {n for n, f in inspect.getmembers(cls, inspect.iscoroutinefunction) if not n.startswith("_")}
        offered = {n for base in twin.__mro__ for n, f in vars(base).items() if isinstance(f, blocking)}
        assert wanted <= offered, cls


def test_public_names_exist_and_are_sorted() -> None:
    """`from rsspot import *` gives exactly the documented names."""
    rsspot = importlib.import_module("rsspot")
    assert sorted(rsspot.__all__) == rsspot.__all__
    assert all(getattr(rsspot, name) for name in rsspot.__all__)


def loaded(*arguments: str) -> set[str]:
    """The modules that a command line imports."""
    code = (
        f"import sys; sys.argv = ['rsspot', *{list(arguments)!r}]\n"
        "from rsspot.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('modules:' + ' '.join(sys.modules))"
    )
    # Where coverage is measured, the process would import what that needs.
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=unmeasured, capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split("modules:")[1].split())


HEAVY = {"typer", "pydantic", "httpx", "rich", "pygments", "yaml", "asyncio", "sqlite3", "deepdiff", "jsonpatch"}


def test_version_imports_nothing_heavy() -> None:
    """Printing the version costs no more than starting Python."""
    assert not loaded("--version") & (HEAVY | {"typing"})


def test_version_imports_only_the_version() -> None:
    """`rsspot --version` costs no more than Python itself and one constant."""
    ours = {name for name in loaded("--version") if name.startswith("rsspot")}
    assert ours == {"rsspot", "rsspot.__main__", "rsspot.constants"}


def test_help_imports_no_command() -> None:
    """Help lists every command and imports none, and no parser either."""
    assert not loaded("--help") & (HEAVY | {"inspect", "dataclasses"})


@pytest.mark.parametrize("arguments", [("validate", "manifests"), ("--sandbox", "plan", "manifests")], ids=" ".join)
def test_commands_import_no_slow_library(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """rich, pygments and deepdiff are slow to import and not needed; file editors are only for editing."""
    monkeypatch.setenv("RSSPOT_SANDBOX", str(tmp_path))
    monkeypatch.chdir(ROOT)
    slow = {"rich", "pygments", "deepdiff", "click", "httpx._main", "ruamel.yaml", "tomlkit", "keyring"}
    assert not loaded(*arguments) & slow


def test_settings_are_resolved_without_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Showing where a setting comes from needs no HTTP client."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert not loaded("config", "path") & {"httpx", "yaml", "jsonpatch", "ruamel.yaml"}


def test_every_service_is_in_the_independence_contract() -> None:
    """import-linter checks only the services that are listed."""
    contract = (ROOT / ".importlinter").read_text(encoding="utf-8").partition("contract:services]")[2]
    listed = contract.partition("[")[0].split()
    assert {module for module in listed if module.startswith("rsspot.services.")} == {
        f"rsspot.services.{folder}" for folder in services.folders()
    }


def test_validate_imports_no_http_or_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checking files needs neither a client nor a database, unless there is one with a history."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert not loaded("validate", str(ROOT / "manifests")) & {"httpx", "sqlite3", "jsonpatch"}


def test_types_are_shipped() -> None:
    """Type checkers of users look for this file."""
    assert (ROOT / "src" / "rsspot" / "py.typed").is_file()
