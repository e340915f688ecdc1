"""plan, apply and destroy as commands: what they refuse, and what they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.shell import Command

STACK = """apiVersion: rsspot.dev/v1
kind: Stack
metadata: {name: mine}
---
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-1}
"""
OTHERS = "".join(
    f"---\napiVersion: ngpc.rxt.io/v1\nkind: VMSSHKey\nmetadata: {{name: key-{number}}}\nspec: {{publicKey: KEY}}\n"
    for number in range(8)
).replace("KEY", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA7cpFqXSm1nXqFvUoKPBRHdJVWEJ+RbM0AEEI5vs0PT")


def test_a_stack_that_does_not_exist_cannot_be_destroyed(rsspot: Command) -> None:
    """A slip of the finger does not end with 0; what was destroyed once may be destroyed again."""
    assert "there is no stack 'mien'" in rsspot("destroy --stack mien --yes", 1)
    Path("stack.yaml").write_text(STACK)
    rsspot("apply stack.yaml --yes --wait accepted")
    for _ in range(2):
        rsspot("destroy stack.yaml --yes")


def test_undeclared_objects_of_every_kind_are_shown(rsspot: Command) -> None:
    """Though no manifest is left that names their kind, and losing most of a stack wants a limit."""
    Path("stack.yaml").write_text(STACK + OTHERS)
    rsspot("apply stack.yaml --yes")
    Path("stack.yaml").write_text(STACK)
    assert "Left alone: vmsshkey/key-0" in rsspot("plan stack.yaml")
    assert "8 of 9 objects would be deleted or replaced" in rsspot("plan stack.yaml --prune", 5)
    assert "8 to delete" in rsspot("plan stack.yaml --prune --max-deletes 8")


def test_a_kind_may_be_allowed_to_be_unreadable(rsspot: Command) -> None:
    """By its name or plural, and only by one that exists."""
    Path("stack.yaml").write_text(STACK)
    rsspot("simulator faults --add 'GET spotnodepools: 403 always'")
    assert "--allow-incomplete spotnodepools" in rsspot("plan stack.yaml", 5)
    for word in ("spotnodepools", "SpotNodePool"):
        assert "INCOMPLETE: SpotNodePool" in rsspot(f"plan stack.yaml --allow-incomplete {word}")
    assert "did you mean 'spotnodepool" in rsspot("plan stack.yaml --allow-incomplete spotnodepool5", 3)


def test_a_signed_plan_is_applied_only_with_its_key(rsspot: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever way the key is given."""
    Path("stack.yaml").write_text(STACK)
    Path("key").write_text("a key\n")
    rsspot("plan stack.yaml --out plan.json --plan-key key")
    monkeypatch.setenv("RSSPOT_PLAN_KEY", "another key")
    assert "is not signed with this plan key" in rsspot("apply --plan plan.json --yes", 6)
    plan = json.loads(Path("plan.json").read_text())
    Path("forged.json").write_text(json.dumps({**plan, "createdAt": "then"}))
    monkeypatch.setenv("RSSPOT_PLAN_KEY", "a key")
    assert "is not signed with this plan key" in rsspot("apply --plan forged.json --yes", 6)
    assert "created=1" in rsspot("apply --plan plan.json --yes --wait accepted")
    assert "cannot read the plan key" in rsspot("plan stack.yaml --plan-key nowhere", 3)


def test_documents_of_other_tools_prevent_pruning(rsspot: Command) -> None:
    """Until somebody says that they are none of ours."""
    folder = Path("stack")
    folder.mkdir()
    (folder / "stack.yaml").write_text(STACK)
    (folder / "web.yaml").write_text("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n")
    assert "the Deployment (apps/v1) is not rsspot's: passed over" in rsspot("plan stack")
    assert "name it in .rsspotignore" in rsspot("plan stack --prune", 5)
    (folder / ".rsspotignore").write_text("web.yaml\n")
    assert "Deployment" not in rsspot("plan stack --prune")


def test_the_history_has_every_command_and_can_be_read(rsspot: Command) -> None:
    """Names of folders and values of harmless options are shown."""
    Path("stack.yaml").write_text(STACK)
    rsspot("apply . --yes --wait accepted")
    rsspot("validate .")
    commands = [each["command"] for each in json.loads(rsspot("history list -o json"))]
    assert commands == ["--sandbox validate .", "--sandbox apply . --yes --wait accepted"]


def test_a_default_stack_is_not_told_to_prune(rsspot: Command) -> None:
    """Which it could not do."""
    text = STACK.partition("---\n")[2]
    Path("stack.yaml").write_text(text)
    rsspot("apply stack.yaml --yes --wait accepted")
    Path("stack.yaml").write_text(text.replace("name: edge", "name: other"))
    assert "name the stack, and --prune deletes" in rsspot("plan stack.yaml")


def test_a_plan_is_approved_by_its_digest(rsspot: Command) -> None:
    """Exactly what was approved is applied, without a file and without a question; anything else is refused."""
    Path("stack.yaml").write_text(STACK)
    digest = json.loads(rsspot("plan stack.yaml -o json"))["digest"]
    assert f"--approve {digest}" in rsspot("plan stack.yaml -v")
    Path("stack.yaml").write_text(STACK + OTHERS)
    refused = rsspot(f"apply stack.yaml --approve {digest}", 6)
    assert "this is not the plan that was approved" in refused
    assert "vmsshkey/key-0" in refused
    assert json.loads(rsspot("cloudspaces list -o json")) == []
    Path("stack.yaml").write_text(STACK)
    assert "created=1" in rsspot(f"apply stack.yaml --approve {digest} --wait none")
    assert "created=0" in rsspot(f"apply stack.yaml --approve {digest} --wait none")


def test_who_changed_a_field_is_shown(rsspot: Command) -> None:
    """A field that was applied, and that somebody else wrote since: who it was, and when."""
    Path("stack.yaml").write_text(STACK.replace("dfw-1}", "dfw-1, webhook: https://example.com/a}"))
    rsspot("apply stack.yaml --yes --wait none")
    (live,) = json.loads(rsspot("cloudspaces list -o json"))
    path = f"/apis/ngpc.rxt.io/v1/namespaces/{live['metadata']['namespace']}/cloudspaces/edge?fieldManager=console"
    for body in ('{"metadata": {"labels": {"a": "b"}}}', '{"spec": {"webhook": "https://x.example"}}'):
        rsspot(f"raw --method PATCH --path {path} --body-json '{body}'")
    drift = rsspot("plan stack.yaml")
    assert "changed by console at 20" in drift
    (edit,) = json.loads(rsspot("plan stack.yaml -o json"))["changes"][0]["diff"]
    assert (edit["by"], edit["drift"], edit["applied"]) == ("console", True, None)


def test_a_refresh_shows_only_what_others_did(rsspot: Command) -> None:
    """Also in fields that the manifests no longer mention, and for objects that are gone; it proposes nothing."""
    hook = STACK.replace("dfw-1}", "dfw-1, webhook: https://example.com/secret}")
    Path("stack.yaml").write_text(hook + OTHERS)
    rsspot("apply stack.yaml --yes --wait none")
    assert "No drift." in rsspot("plan stack.yaml --refresh-only --detailed-exitcode")
    Path("stack.yaml").write_text(STACK.replace("dfw-1}", "dfw-1, kubernetesVersion: 1.32.0}"))
    assert "No drift." in rsspot("plan stack.yaml --refresh-only")
    rsspot("""cloudspaces patch edge '{"webhook": "https://other.example/secret"}'""")
    rsspot("vmsshkeys delete key-3 --yes")
    printed = rsspot("plan stack.yaml --refresh-only --detailed-exitcode", 2)
    assert "cloudspace/edge  update: changed by somebody else" in printed
    assert "vmsshkey/key-3" in printed
    assert "2 drifted, 7 as applied." in printed
    assert "example" not in printed
    document = json.loads(rsspot("plan stack.yaml --refresh-only -o json"))
    assert [each["address"] for each in document["drifted"]] == ["cloudspace/edge", "vmsshkey/key-3"]
    assert (document["changes"], document["drifted"][0]["diff"][0]["after"]) == ([], "(secret #2)")
    assert "takes no option of a plan" in rsspot("plan stack.yaml --refresh-only --prune", 3)
