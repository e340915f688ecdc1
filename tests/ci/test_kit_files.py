"""The files of the CI kits are what GitHub, GitLab and pre-commit take, and no script in them is made from input."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rsspot.cli.command_table import OWN
from support.composite_action import EXPRESSION, TOKEN

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]
WORKFLOWS = sorted((ROOT / "examples").rglob(".github/workflows/*.y*ml"))
GITLAB = [ROOT / "templates" / "rsspot.gitlab-ci.yml", ROOT / "examples" / "gitops" / ".gitlab-ci.yml"]
KITS = [ROOT / "action.yml", *WORKFLOWS, *GITLAB]
STEP_KEYS = {"name", "id", "if", "run", "shell", "uses", "with", "env", "working-directory", "continue-on-error"}
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
OURS = re.compile(r"OWNER/rsspot@v\d+\.\d+\.\d+")


def scripts(document: Any, name: str = "") -> Iterator[str]:
    """Every text that a shell runs."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from scripts(value, str(key))
    elif isinstance(document, list):
        for each in document:
            yield from scripts(each, name)
    elif name in ("run", "script", "before_script", "after_script"):
        yield str(document)


def expressions(document: Any) -> Iterator[str]:
    yield from (found[1] for found in EXPRESSION.finditer(yaml.safe_dump(document, width=10_000)))


def test_the_action_has_the_keys_that_actions_have() -> None:
    assert ACTION.keys() <= {"name", "author", "description", "branding", "inputs", "outputs", "runs"}
    assert ACTION["runs"].keys() == {"using", "steps"} and ACTION["runs"]["using"] == "composite"
    assert all(
        each.keys() <= {"description", "required", "default", "deprecationMessage"} and each["description"]
        for each in ACTION["inputs"].values()
    )
    assert all(each.keys() == {"description", "value"} for each in ACTION["outputs"].values())
    assert all(each.get("required") or isinstance(each["default"], str) for each in ACTION["inputs"].values())
    assert ACTION["branding"]["color"] in {"white", "yellow", "blue", "green", "orange", "red", "purple", "gray-dark"}


def test_each_step_runs_or_uses() -> None:
    """A composite action has to say the shell of each script, and ids are letters, digits, - and _."""
    for step in STEPS:
        assert step.keys() <= STEP_KEYS and ("run" in step) != ("uses" in step)
        assert ("shell" in step) == ("run" in step)
        assert re.fullmatch(r"[a-z][\w-]*", step.get("id", "x"))
    ids = [step["id"] for step in STEPS if "id" in step]
    assert len(ids) == len(set(ids)) and len({step["name"] for step in STEPS}) == len(STEPS)


def test_expressions_name_what_there_is() -> None:
    """Inputs, earlier steps and contexts of an action; secrets are not among them."""
    names = {word for text in expressions(ACTION) for word in TOKEN.findall(text) if word[0].isalpha()}
    names |= {word for step in STEPS for word in TOKEN.findall(str(step.get("if", ""))) if word[0].isalpha()}
    ids = {step.get("id") for step in STEPS}
    for name in names:
        context, _, rest = name.partition(".")
        assert context in {"inputs", "steps", "github", "runner"}, name
        assert context != "inputs" or rest in ACTION["inputs"], name
        assert context != "steps" or rest.partition(".")[0] in ids, name


@pytest.mark.parametrize("file", KITS, ids=lambda file: file.name)
def test_no_script_is_put_together_from_input(file: Path) -> None:
    """The runner writes the value of an expression into the script, so a title or a branch could be a command."""
    found = list(scripts(yaml.safe_load(file.read_text())))
    assert not [text for text in found if "${{" in text or "eval " in text]
    for text in found:
        assert subprocess.run(["bash", "-n"], input=text, text=True, check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("file", [ROOT / "action.yml", *WORKFLOWS], ids=lambda file: file.name)
def test_actions_of_others_are_pinned(file: Path) -> None:
    """By commit: a tag can be moved."""
    used = re.findall(r"uses: (\S+)", file.read_text())
    assert used and all(PINNED.fullmatch(each) or OURS.fullmatch(each) for each in used)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_gives_the_inputs_of_the_action(file: Path) -> None:
    """With permissions that it names, and never for code of strangers with the secrets of the repository."""
    workflow = yaml.safe_load(file.read_text())
    triggers = workflow[True]  # YAML 1.1 reads `on` so
    assert {"name", "permissions", "jobs"} <= workflow.keys() and "pull_request_target" not in triggers
    assert workflow["permissions"].keys() <= {"contents", "actions", "pull-requests", "issues"}
    used = [step for job in workflow["jobs"].values() for step in job["steps"] if "rsspot" in step["uses"]]
    assert used and all(step["with"].keys() <= ACTION["inputs"].keys() for step in used)


def test_hooks_run_commands_that_there_are() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    known = {"id", "name", "description", "entry", "language", "types", "pass_filenames", "require_serial"}
    for hook in hooks:
        assert {"id", "name", "entry", "language"} <= hook.keys() <= known
        assert hook["entry"].split() == ["rsspot", hook["id"]] and hook["id"] in OWN
    used = yaml.safe_load((ROOT / "examples" / "gitops" / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert {hook["id"] for hook in used} == {hook["id"] for hook in hooks} == {"validate", "fmt"}
