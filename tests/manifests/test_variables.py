"""References in manifests: three kinds, defaults, an escape, and no second expansion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rsspot.errors import ManifestError
from rsspot.manifests.parse import load

STACK = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: demo}\nspec: {variables: {region: iad, n: 3}}\n---\n"


def document(webhook: str, region: str = "dfw") -> str:
    """A manifest with a webhook as written."""
    return (
        "apiVersion: ngpc.rxt.io/v1\nkind: CloudSpace\nmetadata: {name: edge}\nspec:\n"
        f"  region: {region}\n  kubernetesVersion: 1.33.0\n  webhook: '{webhook}'\n"
    )


def spec_of(folder: Path, text: str, variables: dict[str, Any] | None = None, **environ: str) -> dict[str, Any]:
    """The spec of the one manifest of a text."""
    (folder / "stack.yaml").write_text(text)
    return load([folder], variables=variables, environ=environ).manifests[0].spec


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${var:who}", "you"),
        ("${env:HOOK}", "https://hook"),
        ("${file:hook.txt}", "from a file"),
        ("a-${var:who}-${env:HOOK}", "a-you-https://hook"),
        ("${var:none:-b}", "b"),
        ("${env:NONE:-https://b:1/c}", "https://b:1/c"),
        ("${file:none:-b}", "b"),
        ("${var:none:-}", ""),
        ("${var:who:-b}", "you"),
        ("$${var:who}", "${var:who}"),
        ("a$${b", "a${b"),
        ("$HOME $5 ${", "$HOME $5 ${"),
        ("${env:NESTED}", "${env:HOOK}"),
        ("x ${var:nested}", "x ${var:who}"),
    ],
)
def test_what_a_reference_stands_for(tmp_path: Path, written: str, value: str) -> None:
    """Each kind of reference, alone and amid text; what it stands for is never expanded again."""
    (tmp_path / "hook.txt").write_text("from a file\n")
    variables = {"who": "you", "nested": "${var:who}"}
    spec = spec_of(tmp_path, document(written), variables, HOOK="https://hook", NESTED="${env:HOOK}")
    assert spec["webhook"] == value


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("${var:none}", "no variable 'none'"),
        ("${env:NONE}", "no environment variable 'NONE'"),
        ("${file:none.txt}", "no readable file 'none.txt'"),
        ("${cmd:id}", "is not a kind of reference"),
    ],
)
def test_a_reference_to_nothing_is_a_problem_at_its_place(tmp_path: Path, written: str, said: str) -> None:
    """What is missing is named, with the line it was asked for on."""
    with pytest.raises(ManifestError) as caught:
        spec_of(tmp_path, document(written))
    (problem,) = caught.value.problems
    assert said in problem.message
    assert problem.origin is not None
    assert problem.origin.line == 7
    assert "default" in (problem.hint or "")


def test_every_missing_reference_is_named(tmp_path: Path) -> None:
    """Two in one value and one in another are three problems."""
    with pytest.raises(ManifestError) as caught:
        spec_of(tmp_path, document("${var:a} ${var:b}", region="${var:c}"))
    assert len(caught.value.problems) == 3


def test_a_variable_of_the_stack_yields_to_the_command_line(tmp_path: Path) -> None:
    """The Stack's variables are defaults."""
    text = STACK + document("x", region="${var:region}")
    assert spec_of(tmp_path, text)["region"] == "iad"
    assert spec_of(tmp_path, text, {"region": "dfw"})["region"] == "dfw"


def test_a_variable_keeps_its_type_where_it_stands_alone(tmp_path: Path) -> None:
    """A number stays a number, so that a count can be a variable."""
    pool = (
        "apiVersion: ngpc.rxt.io/v1\nkind: SpotNodePool\nmetadata: {name: workers}\n"
        "spec: {cloudSpace: edge, serverClass: gp, desired: '${var:n}', bidPrice: 0.03}\n"
    )
    assert spec_of(tmp_path, STACK + pool)["desired"] == 3


def test_a_text_is_not_a_second_document(tmp_path: Path) -> None:
    """A value with YAML in it stays one value."""
    assert spec_of(tmp_path, document("${env:E}"), E="a\n---\nkind: x: y")["webhook"] == "a\n---\nkind: x: y"


@pytest.mark.parametrize("written", ["${TEAM}", "${var.region}", "${ENV:TEAM}", "${env:TEAM", "a ${x} b", "${var:}"])
def test_what_only_looks_like_a_reference_is_a_problem(tmp_path: Path, written: str) -> None:
    """It would be sent as it stands."""
    with pytest.raises(ManifestError, match="is not a reference"):
        spec_of(tmp_path, document(written), {"region": "dfw"}, TEAM="red")


def test_many_references_take_linear_time(tmp_path: Path) -> None:
    """Whether they end or not."""
    for text in ("${var:a:-" * 300_000, "${var:who}" * 100_000):
        with pytest.raises(ManifestError):
            spec_of(tmp_path, document(text), {"a": "b"})


@pytest.mark.parametrize("path", ["/dev/zero", "/proc/self/mem", "."])
def test_only_regular_files_are_read(tmp_path: Path, path: str) -> None:
    """A device might never end."""
    with pytest.raises(ManifestError, match="no readable file"):
        spec_of(tmp_path, document(f"${{file:{path}}}"))


def test_a_variable_that_nothing_uses_is_noted(tmp_path: Path) -> None:
    """A note: the value may be meant for what is still to be written."""
    stack = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: mine}\n"
    stack += "spec:\n  organization: ${var:org}\n  variables:\n    region: dfw\n    spare: x\n    org: acme\n---\n"
    (tmp_path / "a.yaml").write_text(stack + document("https://example.com", "${var:region}"))
    (note,) = load([tmp_path / "a.yaml"], environ={}).notes
    assert note == f"{tmp_path / 'a.yaml'}:8:5: nothing uses the variable 'spare'"
