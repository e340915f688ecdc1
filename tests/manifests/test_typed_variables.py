"""Variables with a type and rules: what they take from options and files, and every mistake with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.folders import CLOUDSPACE, STACK, hints_of, one, problems_of, read, written

pytestmark = pytest.mark.usefixtures("folder")


def declared(rules: str, uses: str = "x") -> dict[str, str]:
    """A Stack that declares the variable `v`, and a cloudspace with an annotation."""
    text = CLOUDSPACE.replace("metadata:\n  name: edge", f"metadata: {{name: edge, annotations: {{a: '{uses}'}}}}")
    return {"a.yaml": f"{STACK}spec:\n  variables:\n    v: {rules}\n---\n{text}"}


def value_of(rules: str, **options: Any) -> Any:
    """A text with the value of `v`."""
    written(declared(rules, uses="is ${var:v}"))
    return one("a.yaml", **options).body["metadata"]["annotations"]["a"]


@pytest.mark.parametrize(
    ("rules", "text", "said"),
    [
        ("{type: string}", "007", "is 007"),
        ("{type: number}", "007", "is 7"),
        ("{type: number}", "-2.50", "is -2.5"),
        ("{type: number}", "1e3", "is 1000.0"),
        ("{type: boolean}", "true", "is true"),
        ("{type: number, allowed: [1, 2]}", "2", "is 2"),
        ("{description: anything}", "yes", "is yes"),
        ("3", "4", "is 4"),
    ],
)
def test_an_option_is_read_by_the_declared_type(rules: str, text: str, said: str) -> None:
    """A text on the command line becomes a value."""
    assert value_of(rules, variables={"v": text}) == said


@pytest.mark.parametrize(
    ("rules", "text", "clause"),
    [
        ("{type: number}", "two", "must be a number"),
        ("{type: number}", "1_0", "must be a number"),
        ("{type: number}", "٣", "must be a number"),
        ("{type: number}", "nan", "must be a number"),
        ("{type: number}", "9" * 5000, "must be a number"),
        ("{type: boolean}", "yes", "must be true or false"),
        ("{type: boolean}", "True", "must be true or false"),
        ("{type: list}", "[1, 2", "must be a list of plain values"),
        ("{type: list}", '[{"a": 1}]', "must be a list of plain values"),
        ("{allowed: [a, b]}", "c", "must be one of: a, b"),
        ("{type: list, allowed: [a, b]}", "a,c", "each item must be one of: a, b"),
        ("{type: number, allowed: [1, 2]}", "3", "must be one of: 1, 2"),
    ],
)
def test_an_option_of_another_type_is_named(rules: str, text: str, clause: str) -> None:
    """By the option, without its value: that may be a secret."""
    written(declared(rules))
    (problem,) = problems_of("a.yaml", variables={"v": text})
    place, _, told = problem.partition(": ")
    assert place.startswith("a.yaml:") and told.startswith(f"--var v: {clause}")
    assert text not in told or len(text) == 1


@pytest.mark.parametrize(
    ("rules", "at", "clause"),
    [
        ("{type: nmber}", "type", "did you mean 'number'?"),
        ("{type: number, defualt: 3}", "defualt", "unknown field 'defualt'"),
        ("{type: number, default: three}", "default", "variable 'v': the default must be a number"),
        ("{default: 3}", "default", "variable 'v': the default must be a string"),
        ("{default: a, allowed: [b]}", "default", "variable 'v': the default must be one of: b"),
        ("{type: number, allowed: [1, two]}", "two", "variable 'v': allowed value 2 must be a number"),
        ("{type: number, allowed: 3}", "allowed", "spec.variables.v.allowed: must be a list"),
        ("{type: list, default: a}", "default", "variable 'v': the default must be a list"),
        ("{required: true, default: a}", "default", "variable 'v': a required variable has no default"),
        ("{required: perhaps}", "required", "must be true or false"),
    ],
)
def test_a_declaration_that_cannot_be(rules: str, at: str, clause: str) -> None:
    """At its own line and column, and as one problem, wherever the variable is used."""
    written(declared(rules, uses="${var:v}"))
    (problem,) = problems_of("a.yaml")
    assert problem.startswith(f"a.yaml:6:{8 + rules.index(at)}: ")
    assert clause in problem


def test_a_required_variable_without_a_value() -> None:
    """Where it is declared, and not also wherever it is used; the description says what is wanted."""
    written(declared("{required: true, description: Who pays.}", uses="${var:v}"))
    assert problems_of("a.yaml") == ["a.yaml:6:5: the variable 'v' is required and has no value"]
    assert hints_of("a.yaml") == "Who pays."


def test_what_is_no_declaration_is_a_value() -> None:
    """A mapping with other keys was always one."""
    spec = "{type: a, cost: b, default: c}"
    written({"a.yaml": f"{STACK}spec:\n  variables:\n    v: {spec}\n---\n" + POOL_WITH_LABELS})
    assert one("a.yaml").spec["customLabels"] == {"type": "a", "cost": "b", "default": "c"}


POOL_WITH_LABELS = (
    "apiVersion: ngpc.rxt.io/v1\nkind: SpotNodePool\nmetadata: {name: workers}\n"
    "spec: {cloudSpace: edge, serverClass: gp, desired: '${var:n:-2}', bidPrice: 0.03, customLabels: '${var:v}'}\n"
)


def test_a_value_alone_keeps_its_type() -> None:
    """A list stays a list, a number a number."""
    variables = "{n: {type: number, default: 3}, taints: [{key: a, effect: NoExecute}]}"
    text = POOL_WITH_LABELS.replace("customLabels: '${var:v}'", "customTaints: '${var:taints}'")
    written({"a.yaml": f"{STACK}spec: {{variables: {variables}}}\n---\n{text}"})
    spec = one("a.yaml").spec
    assert (spec["desired"], spec["customTaints"]) == (3, [{"key": "a", "effect": "NoExecute"}])


def test_a_list_inside_a_text_is_a_problem() -> None:
    """It would be sent as Python writes it."""
    written(declared("{type: list, default: [a, b]}", uses="x-${var:v}"))
    (problem,) = problems_of("a.yaml")
    assert problem == "a.yaml:10:38: a list cannot stand inside a text"


def test_files_give_typed_values_and_options_win() -> None:
    """A later file wins over an earlier one."""
    written({"one.yaml": "v: 1\n", "two.json": '{"v": 2}'})
    files = [Path("one.yaml"), Path("two.json")]
    assert value_of("{type: number, default: 0}") == "is 0"
    assert value_of("{type: number, default: 0}", variable_files=files) == "is 2"
    assert value_of("{type: number, default: 0}", variable_files=files[::-1]) == "is 1"
    assert value_of("{type: number, default: 0}", variable_files=files, variables={"v": "3"}) == "is 3"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("other: x\nv: '1'\n", "vars.yaml:2:1: variable 'v': must be a number"),
        ("v: 1\nw: 2\n", "vars.yaml:2:1: variable file: no manifest declares or uses a variable 'w'"),
        ("- v\n", "vars.yaml:1:1: a variable file holds one mapping"),
        ("v: 1\n---\nv: 2\n", "vars.yaml:3:1: a variable file holds one mapping"),
        ("v: [\n", "vars.yaml:2:1: invalid YAML"),
        ("v: 1\nv: 2\n", "vars.yaml:2:1: the key 'v' is written twice"),
    ],
)
def test_a_mistake_in_a_variable_file_has_its_place(text: str, said: str) -> None:
    """In that file."""
    written({**declared("{type: number, default: 1}", uses="${var:other:-x}"), "vars.yaml": text})
    problems = problems_of("a.yaml", variable_files=[Path("vars.yaml")], strict=True)
    assert [problem for problem in problems if problem.startswith(said)]


def test_an_empty_variable_file_gives_nothing_and_a_missing_one_is_named() -> None:
    """As with manifests, a file that is not there is a mistake."""
    written({**declared("3"), "vars.yaml": "# nothing\n"})
    assert one("a.yaml", variable_files=[Path("vars.yaml")])
    (problem,) = problems_of("a.yaml", variable_files=[Path("none.yaml")])
    assert problem == "none.yaml:1:1: cannot be read: No such file or directory"


def test_all_mistakes_are_told_at_once() -> None:
    """Of options, files, declarations and documents."""
    stack = (
        f"{STACK}spec:\n  variables:\n    a: {{required: true}}\n    b: {{type: number}}\n    c: {{type: boolean}}\n"
    )
    written({"a.yaml": f"{stack}---\n{CLOUDSPACE}  cni: flannel\n", "vars.yaml": "c: 3\n"})
    options = {"variables": {"b": "x", "bb": "1"}, "variable_files": [Path("vars.yaml")], "strict": True}
    said = "\n".join(problems_of("a.yaml", **options))
    for part in ("'a' is required", "--var b: must be", "variable 'c': must be", "variable 'bb'", "spec.cni"):
        assert part in said
    assert "did you mean 'b'?" in hints_of("a.yaml", **options)


def test_a_value_is_never_expanded_again() -> None:
    """What a file or an option gives is a value."""
    written({"vars.yaml": "v: ${env:HOME}\n"})
    assert value_of("{default: x}", variable_files=[Path("vars.yaml")]) == "is ${env:HOME}"


def test_the_stack_can_use_its_variables() -> None:
    """For its organization, such as one for each environment."""
    spec = "{organization: 'org-${var:v}', variables: {v: {default: a}}}"
    written({"a.yaml": f"{STACK}spec: {spec}\n---\n{CLOUDSPACE}"})
    assert read("a.yaml").organization == "org-a"
    assert read("a.yaml", variables={"v": "b"}).organization == "org-b"
