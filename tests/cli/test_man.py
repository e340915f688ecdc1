"""Manual pages: each command has one, and roff reads it without a complaint."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rsspot.cli.app import run
from rsspot.cli.command_tree import command_tree
from rsspot.cli.options import GLOBAL_OPTIONS

NODES = {" ".join(node.words): node for node in command_tree().walk()}
MACROS = {".TH", ".SH", ".TP", ".PP", ".B", ".I", ".BR", ".nf", ".fi", ".RS", ".RE"}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """File name -> page, of all commands."""
    folder = tmp_path_factory.mktemp("man")
    assert run(["man", "--out", str(folder)]) == 0
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def plain(page: str) -> str:
    """A page without fonts and escapes."""
    return re.sub(r"\\f[BIR]|\\&", "", page).replace("\\-", "-").replace("\\e", "\\")


def test_every_command_has_a_page(pages: dict[str, str]) -> None:
    """Under the name that `man rsspot-plan` looks for."""
    assert set(pages) == {"-".join(["rsspot", *path.split()]) + ".1" for path in NODES}


def test_a_page_says_what_the_command_does(pages: dict[str, str]) -> None:
    """In one line, which `apropos` finds."""
    assert "rsspot - Rackspace Spot: plan and apply YAML manifests" in plain(pages["rsspot.1"])
    assert "rsspot-plan - Show what apply would change\n" in plain(pages["rsspot-plan.1"])


def test_a_page_has_all_options(pages: dict[str, str]) -> None:
    """Those of the command and the global ones, each with its help."""
    for path, node in NODES.items():
        text = plain(pages["-".join(["rsspot", *path.split()]) + ".1"])
        for option in node.options:
            assert all(name in text for name in option.opts), (path, option.opts)
        assert all(each.names[0] in text for each in GLOBAL_OPTIONS if each.help)


def test_pages_use_known_macros_and_ascii_only(pages: dict[str, str]) -> None:
    """A line of text never begins like one."""
    for name, page in pages.items():
        assert page.isascii(), name
        assert {line.split()[0] for line in page.splitlines() if line.startswith((".", "'"))} <= MACROS, name


def test_one_page_is_printed(capsys: pytest.CaptureFixture[str], pages: dict[str, str]) -> None:
    """A command may be written in its other ways too."""
    assert run(["man", "nodepools", "spot", "create"]) == 0
    assert capsys.readouterr().out == pages["rsspot-nodepools-spot-create.1"]
    assert run(["man", "server-classes"]) == 0
    assert capsys.readouterr().out == pages["rsspot-serverclasses.1"]
    assert run(["man", "pln"]) == 3
    assert "did you mean 'plan'?" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").touch()
    assert run(["man", "--out", "file"]) == 3
    assert "cannot write to file" in capsys.readouterr().err


def test_roff_has_no_complaint(pages: dict[str, str]) -> None:
    """Nor does it lose a word of the one that has everything."""
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed")
    for name in ("rsspot.1", "rsspot-plan.1", "rsspot-cloudspaces-create.1"):
        command = [groff, "-man", "-Tutf8", "-ww", "-P-cbou"]
        done = subprocess.run(command, input=pages[name], capture_output=True, text=True, timeout=60, check=True)
        assert done.stderr == "" and "NAME" in done.stdout, name
    assert "Show what apply would change." in done.stdout or "Create one CloudSpace." in done.stdout
