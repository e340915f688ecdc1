"""What the documentation shows is what the tool does."""

import re
from pathlib import Path

import pytest

from rsspot import errors
from rsspot.applier.events import OUTCOMES
from rsspot.cli.app import OWN, run
from rsspot.models.fields import IMMUTABLE
from rsspot.services.registry import kinds

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox of its own, seen from the repository's root."""
    monkeypatch.setenv("RSSPOT_SANDBOX", str(tmp_path))
    monkeypatch.delenv("PREEMPTION_WEBHOOK", raising=False)
    monkeypatch.chdir(ROOT)


def test_the_readme_shows_the_plan_of_the_shipped_manifests(capsys: pytest.CaptureFixture[str]) -> None:
    """To the letter."""
    assert run(["--sandbox", "plan", "manifests/"]) == 0
    assert capsys.readouterr().out in README


def test_the_readme_shows_what_a_mistake_looks_like(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message, the line and the way out."""
    (tmp_path / "manifests").mkdir()
    for file in (ROOT / "manifests").iterdir():
        text = file.read_text(encoding="utf-8").replace("bidPrice: 0.06", "bidPrice: 0.07")
        (tmp_path / "manifests" / file.name).write_text(text)
    monkeypatch.chdir(tmp_path)
    assert run(["--sandbox", "plan", "manifests/"]) == 5
    assert capsys.readouterr().err in README


def test_every_exit_code_is_explained() -> None:
    """The table has each code that an error or a run can end with."""
    explained = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    raised = {value.exit_code for value in vars(errors).values() if hasattr(value, "exit_code")}
    assert explained == raised | set(OUTCOMES.values()) | {0, 2}


def test_every_command_is_mentioned() -> None:
    """In the README or in one of the pages it leads to."""
    pages = README + "".join(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md")))
    assert not [name for name in OWN if not re.search(rf"\b{name}\b", pages)]


def test_every_authored_kind_and_its_final_fields_are_in_the_table() -> None:
    """Somebody who reads docs/manifests.md knows what a replacement costs before it is planned."""
    text = (ROOT / "docs" / "manifests.md").read_text(encoding="utf-8")
    for kind in kinds().values():
        if kind.authored and kind.manageable:
            (row,) = re.findall(rf"^\| `{kind.name}` \|.*$", text, re.MULTILINE)
            final = {path[0] for path in kind.marked(IMMUTABLE) if len(path) == 1}
            assert set(re.findall(r"`(\w+)`", row.split("|")[-2])) == final


def test_links_lead_somewhere() -> None:
    """Every relative link of the README names a file."""
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert targets and all((ROOT / target).exists() for target in targets)
