"""Where policies are read: from a Stack, and from the files and folders that it names, each with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsspot.errors import ManifestError
from rsspot.manifests.parse import load
from rsspot.planner.policy import Policy
from rsspot.policies.sources import MOST_POLICIES, policies_at, policies_of

STACK = """apiVersion: rsspot.dev/v1
kind: Stack
metadata: {name: mine}
spec:
  variables: {most: 5}
  policies:
"""
CLOUDSPACE = """---
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-1}
"""
FILE = """policies:
  - name: NAME
    message: It must be so.
    expression: "true"
"""


def of(folder: Path, entries: str) -> tuple[Policy, ...]:
    """The policies of a Stack with these entries, in stack/stack.yaml."""
    (folder / "stack").mkdir(exist_ok=True)
    file = folder / "stack" / "stack.yaml"
    lines = "".join(f"    {line}\n" for line in entries.strip().splitlines())
    file.write_text(STACK + lines + CLOUDSPACE)
    return policies_of(load([file], environ={}))


def refused(folder: Path, entries: str) -> str:
    with pytest.raises(ManifestError) as caught:
        of(folder, entries)
    return str(caught.value)


def test_a_policy_stands_in_the_stack(tmp_path: Path) -> None:
    """With the place of its expression, and variables of the Stack in it."""
    (policy,) = of(tmp_path, "- {name: few, message: At most five., expression: 'size(changes) < ${var:most}'}")
    assert (policy.name, policy.severity, policy.message) == ("few", "deny", "At most five.")
    assert policy.expression == "size(changes) < 5"
    assert policy.origin and (policy.origin.line, policy.origin.file[-10:]) == (7, "stack.yaml")


def test_an_expression_stands_in_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "few.cel").write_text("size(changes)\n  < 5\n")
    (policy,) = of(tmp_path, "- {name: few, message: Few., severity: warn, file: ../few.cel}")
    assert (policy.expression, policy.severity) == ("size(changes)\n  < 5", "warn")
    assert policy.origin and policy.origin.file == str(tmp_path / "few.cel")


def test_files_and_folders_have_policies(tmp_path: Path) -> None:
    """In the order of their names; files of tests, hidden files and other files are passed over."""
    folder = tmp_path / "policies"
    (folder / "inner").mkdir(parents=True)
    for name in ("b.yaml", "inner/a.yml", "a.yaml", "a.test.yaml", ".hidden.yaml", "notes.txt"):
        (folder / name).write_text(FILE.replace("NAME", Path(name).name.partition(".")[0] + str(len(name))))
    (tmp_path / "one.yaml").write_text(FILE.replace("NAME", "one"))
    found = of(tmp_path, "- folder: ../policies\n- file: ../one.yaml")
    assert [each.name for each in found] == ["a6", "b6", "a11", "one"]
    assert [each.name for each in policies_at([folder])] == [each.name for each in found[:-1]]
    assert found[0].origin and (found[0].origin.file, found[0].origin.line) == (str(folder / "a.yaml"), 4)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ("- {name: a, message: A.}", "must have one of expression, file and folder"),
        ("- {name: a, message: A., expression: 'true', file: a.cel}", "must have one of expression"),
        ("- {message: A., expression: 'true'}", "must have a name and a message"),
        ("- {name: a, expression: 'true'}", "must have a name and a message"),
        ("- {name: A B, message: A., expression: 'true'}", "must be lowercase letters"),
        ("- {name: a, message: ' ', expression: 'true'}", "must be a sentence"),
        ("- {name: a, message: A., expression: ' '}", "must be an expression"),
        ("- {name: a, message: A., severity: fatal, expression: 'true'}", "severity"),
        ("- {folder: ../policies, severity: warn}", "has their names"),
        ("- {name: a, message: A., file: nowhere.cel}", "nowhere.cel: there is no such file"),
        ("- {file: nowhere.yaml}", "nowhere.yaml: there is no such file"),
        ("- {folder: nowhere}", "nowhere: is no file with policies"),
        ("- {file: stack.txt}", "stack.txt: is no file with policies"),
        ("- {name: a, message: A., exprssion: 'true'}", "exprssion"),
        ("- {name: a, message: A., file: /proc/self/environ.cel}", "is no file with policies"),
    ],
)
def test_what_is_no_policy_is_refused_where_it_stands(tmp_path: Path, entries: str, said: str) -> None:
    told = refused(tmp_path, entries)
    assert said in told and "stack.yaml:" in told


def test_two_policies_have_two_names(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(FILE.replace("NAME", "one"))
    told = refused(tmp_path, "- {name: one, message: A., expression: 'true'}\n- file: ../one.yaml")
    assert "one.yaml:4" in told and "a second policy 'one'" in told


def test_files_that_lead_back_to_themselves_come_to_an_end(tmp_path: Path) -> None:
    (tmp_path / "circle.yaml").write_text("policies: [{file: circle.yaml}]\n")
    assert "files inside of files" in refused(tmp_path, "- file: ../circle.yaml")


def test_a_file_of_ours_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of an expression are quoted in messages, so no credential may be taken for one."""
    monkeypatch.setenv("RSSPOT_CONFIG", str(tmp_path / "mine.cel"))
    (tmp_path / "mine.cel").write_text("refresh_token: secret")
    (tmp_path / "link.cel").symlink_to(tmp_path / "mine.cel")
    for name in ("mine", "link"):
        told = refused(tmp_path, f"- {{name: a, message: A., file: ../{name}.cel}}")
        assert "is no file with policies" in told and "secret" not in told


def test_files_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "long.cel").write_text("true || " * 5000 + "true")
    assert "at most 16384 characters" in refused(tmp_path, "- {name: a, message: A., file: ../long.cel}")
    many = "".join(f"  - {{name: p{i}, message: A., expression: 'true'}}\n" for i in range(MOST_POLICIES + 1))
    (tmp_path / "many.yaml").write_text("policies:\n" + many)
    assert f"more than {MOST_POLICIES} policies" in refused(tmp_path, "- file: ../many.yaml")


def test_what_is_wrong_in_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("policies:\n  - name: a\n    message: A.\n    severity: no\n")
    told = refused(tmp_path, "- file: ../wrong.yaml")
    assert "wrong.yaml:4" in told or "wrong.yaml:2" in told
