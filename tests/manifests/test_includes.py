"""`include:` of a Stack: shared bases, each file once, no circle, and problems at the line of the entry."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.folders import CLOUDSPACE, POOL, STACK, hints_of, overlay, problems_of, read, written

pytestmark = pytest.mark.usefixtures("folder")
BASE = STACK.replace("demo", "base")


def including(*entries: str, more: str = "") -> str:
    """A Stack that includes these paths."""
    return f"{STACK}spec:\n  include:\n" + "".join(f"    - {entry}\n" for entry in entries) + more


def found(*paths: str) -> list[str]:
    """The names of the manifests at these paths."""
    return [each.name for each in read(*paths).manifests]


def test_files_and_folders_are_included_relative_to_the_file() -> None:
    """Also from outside of the folder."""
    written({"shared/a.yaml": CLOUDSPACE, "env/pools/b.yaml": POOL})
    written({"env/stack.yaml": including("../shared", "pools/b.yaml")})
    manifests = read("env/stack.yaml")
    assert [str(each.origin) for each in manifests.manifests] == ["shared/a.yaml:4:3", "env/pools/b.yaml:4:3"]
    assert manifests.files == ("shared/a.yaml", "env/pools/b.yaml", "env/stack.yaml")


def test_a_file_that_is_included_twice_is_read_once() -> None:
    """By two entries, by two spellings, by a link, and when it is given as well."""
    entries = ("../base", "../base/a.yaml", "../env/../base/./a.yaml", "../linked")
    written({"base/a.yaml": CLOUDSPACE, "env/stack.yaml": including(*entries)})
    Path("linked").symlink_to("base")
    assert found("env") == ["edge"]
    assert found("base", "env") == found("env", "base/a.yaml", "linked") == ["edge"]


def test_only_variables_and_includes_of_an_included_stack_count() -> None:
    """The one that includes it names the run, and its variables win."""
    base = f"{BASE}spec:\n  profile: other\n  limits: {{deletes: 99}}\n  variables: {{region: dfw, version: 1.33.0}}\n"
    document = CLOUDSPACE.replace("dfw", "${var:region}").replace("1.33.0", "${var:version}")
    stack = including("../base", more="  variables: {region: iad}\n")
    written({"base/stack.yaml": f"{base}  include: [../deeper]\n", "deeper/a.yaml": document, "env/stack.yaml": stack})
    for paths in (("env",), ("base", "env"), ("env", "base", "deeper")):
        manifests = read(*paths)
        assert (manifests.stack, manifests.profile, manifests.limits.deletes) == ("demo", None, None)
        assert manifests.manifests[0].spec == {"region": "iad", "kubernetesVersion": "1.33.0"}


def test_the_rules_of_a_base_hold_for_the_values_of_what_includes_it() -> None:
    """Each at its place; a declaration replaces the whole variable."""
    base = f"{BASE}spec: {{variables: {{n: {{type: number, required: true}}, s: {{allowed: [a, b]}}}}}}\n"
    document = CLOUDSPACE.replace("name: edge", "name: edge\n  annotations: {a: '${var:n} ${var:s}'}")
    written({"base/stack.yaml": base, "base/a.yaml": document})
    written({"env/stack.yaml": including("../base", more="  variables: {n: 3, s: b}\n")})
    assert read("env").manifests[0].body["metadata"]["annotations"] == {"a": "3 b"}
    assert problems_of("env", variables={"n": "x"}) == ["base/stack.yaml:4:20: --var n: must be a number"]
    written({"env/stack.yaml": including("../base", more="  variables: {n: three, s: c}\n")})
    assert problems_of("env") == [
        "env/stack.yaml:7:15: variable 'n': must be a number",
        "env/stack.yaml:7:25: variable 's': must be one of: a, b",
    ]
    written({"env/stack.yaml": including("../base", more="  variables: {n: {default: x}, s: a}\n")})
    assert read("env").manifests[0].body["metadata"]["annotations"] == {"a": "x a"}


def test_references_in_what_does_not_count_are_not_filled_in() -> None:
    """A base may be planned by itself, with what it needs then."""
    base = f"{BASE}spec: {{organization: '${{env:NONE}}', limits: {{deletes: '${{var:none}}'}}}}\n"
    written({"base/stack.yaml": base, "base/a.yaml": CLOUDSPACE, "env/stack.yaml": including("../base")})
    assert found("env") == ["edge"]
    assert len(problems_of("base")) == 2


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("{variabels: {}}", "unknown field 'variabels'"),
        ("{variables: {v: {type: nmber}}}", "did you mean 'number'?"),
        ("3", "spec: "),
    ],
)
def test_a_mistake_in_an_included_stack_is_told(spec: str, said: str) -> None:
    """At its place."""
    written({"base/a.yaml": f"{BASE}spec: {spec}\n---\n{CLOUDSPACE}", "env/stack.yaml": including("../base")})
    (problem,) = problems_of("env")
    assert problem.startswith("base/a.yaml:4:")
    assert said in problem


def test_two_stacks_that_are_given_are_one_too_many() -> None:
    """Neither includes the other."""
    written({"a.yaml": f"{STACK}---\n{CLOUDSPACE}", "b.yaml": BASE})
    assert problems_of("a.yaml", "b.yaml") == ["b.yaml:1:1: a second Stack: a run has only one"]


@pytest.mark.parametrize(
    ("texts", "place", "chain"),
    [
        ({"a.yaml": "[a.yaml]"}, "a.yaml:4:18", "a.yaml -> a.yaml"),
        ({"a.yaml": "[b.yaml]", "b.yaml": "[a.yaml]"}, "b.yaml:4:18", "a.yaml -> b.yaml -> a.yaml"),
        ({"a.yaml": "[b.yaml]", "b.yaml": "[x]", "x/c.yaml": "[../x]"}, "x/c.yaml:4:18",
         "a.yaml -> b.yaml -> x/c.yaml -> x/c.yaml"),
        ({"a.yaml": "[.]"}, "a.yaml:4:18", "a.yaml -> a.yaml"),
    ],
)  # fmt: skip
def test_a_circle_names_its_files(texts: dict[str, str], place: str, chain: str) -> None:
    """At the entry that closes it."""
    written({name: f"{STACK}spec: {{include: {entries}}}\n---\n{CLOUDSPACE}" for name, entries in texts.items()})
    said = problems_of("a.yaml")
    assert f"{place}: an include leads back to its own file: {chain}" in said


@pytest.mark.parametrize(
    ("entry", "clause"),
    [
        ("../none", "none: no such file or directory"),
        ("empty", "empty: no manifests here"),
        ("'${var:x}'", "an include is a path, without references"),
        ("''", "an include is a path, without references"),
        ("n" * 300, "no such file or directory"),
        ("pipe", "pipe is not a file with manifests"),
        ("/dev/zero", "/dev/zero is not a file with manifests"),
        ("/proc/self/environ", "is not a file with manifests"),
        ("../../home/.config/rsspot/config.yml", "is not a file with manifests"),
        ("3", "must be a string"),
    ],
)
def test_an_entry_that_cannot_be(entry: str, clause: str, folder: Path) -> None:
    """At its line; nothing else is read."""
    written({"env/a.yaml": f"{including(entry)}---\n{CLOUDSPACE}"})
    Path("env/empty").mkdir()
    os.mkfifo("env/pipe")
    config = folder.parent / "home" / ".config" / "rsspot"
    config.mkdir(parents=True)
    (config / "config.yml").write_text("profiles: {default: {refreshToken: tok-492817}}\n")
    (problem,) = problems_of("env/a.yaml", environ={"HOME": str(folder.parent / "home")})
    assert problem.startswith("env/a.yaml:6:7: ")
    assert clause in problem


def test_a_problem_inside_an_included_file_is_in_that_file() -> None:
    """Through two includes, in the third document."""
    text = f"{CLOUDSPACE}---\n{POOL}---\n{POOL.replace('workers', 'others').replace('desired: 2', 'desired: two')}"
    written({"a.yaml": including("b.yaml"), "b.yaml": f"{BASE}spec: {{include: [c.yaml]}}\n", "c.yaml": text})
    assert problems_of("a.yaml") == ["c.yaml:26:3: spec.desired: must be a whole number"]


def test_overlays_of_a_base_are_applied_first() -> None:
    """What includes it has the last word, whatever the order of the paths."""

    def to(number: int) -> str:
        return overlay("{name: workers}", f"merge: {{spec: {{desired: {number}}}}}")

    written({"base/a.yaml": POOL, "base/z.yaml": to(3), "env/a.yaml": to(4), "env/stack.yaml": including("../base")})
    for paths in (("env",), ("env", "base"), ("base", "env")):
        assert read(*paths).manifests[0].spec["desired"] == 4


def test_a_long_chain_of_includes_is_refused() -> None:
    """Before it overflows anything."""
    chain = {f"{number}.yaml": f"{STACK}spec: {{include: [{number + 1}.yaml]}}\n" for number in range(200)}
    written({**chain, "200.yaml": CLOUDSPACE})
    assert "nested deeper than 32 levels" in problems_of("0.yaml")[0]


def test_standard_input_is_not_included() -> None:
    """It may be what is given."""
    written({"a.yaml": including("'-'") + "---\n" + CLOUDSPACE})
    assert problems_of("a.yaml") == ["a.yaml:6:7: standard input cannot be included"]


def test_hidden_and_foreign_documents_of_an_included_folder_are_named() -> None:
    """As in a folder that is given."""
    foreign = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
    written({"base/a.yaml": CLOUDSPACE, "base/b.yaml": foreign, "base/.c.yaml": "x"})
    written({"env/stack.yaml": including("../base")})
    manifests = read("env")
    assert manifests.hidden == ("base/.c.yaml",)
    assert "the Deployment" in manifests.foreign[0]


def test_what_includes_is_to_be_a_list() -> None:
    """Of paths."""
    written({"a.yaml": f"{STACK}spec: {{include: b.yaml}}\n---\n{CLOUDSPACE}"})
    assert "spec.include: must be a list" in problems_of("a.yaml")[0]
    assert hints_of("a.yaml") == ""
