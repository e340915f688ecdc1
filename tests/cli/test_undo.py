"""`plan --undo` and `ledger show`: what a run did, who did it, and a plan that takes it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.shell import Command

STACK = """apiVersion: rsspot.dev/v1
kind: Stack
metadata: {name: mine}
---
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-1, kubernetesVersion: 1.31.1}
---
"""
POOL = """apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: workers, labels: {team: a}}
spec: {cloudSpace: edge, serverClass: gp.vs1.medium-dfw, desired: 2, bidPrice: 0.06}
---
"""
APPLY = "apply stack.yaml --yes --wait accepted --prune --max-deletes 9"


def pools(rsspot: Command) -> list[dict[str, Any]]:
    """The spot pools of the sandbox, by what people see of them."""
    listed = json.loads(rsspot("spotnodepools list -o json"))
    return [
        {
            "name": each["metadata"]["annotations"]["rsspot.dev/name"],
            "labels": each["metadata"]["labels"],
            "spec": each["spec"],
        }
        for each in listed
    ]


def apply(rsspot: Command, *documents: str) -> None:
    """Apply these documents, and prune."""
    Path("stack.yaml").write_text("".join(documents))
    rsspot(APPLY)


@pytest.mark.parametrize(
    "changed",
    [
        POOL.replace("desired: 2", "desired: 3").replace("0.06", "0.08").replace("team: a", "team: b, tier: c"),
        POOL.replace("medium", "large").replace("0.06", "0.13"),
        "",
    ],
    ids=["changed", "replaced", "deleted"],
)
def test_a_run_is_taken_back(rsspot: Command, changed: str) -> None:
    """Every field is as it was, and a plan of the manifests of before is empty."""
    apply(rsspot, STACK, POOL)
    before = pools(rsspot)
    apply(rsspot, STACK, changed)
    assert pools(rsspot) != before
    assert "undoes run 2" in rsspot("plan --undo 2")
    rsspot("apply --undo 2 --yes --wait accepted")
    rsspot("simulator advance 1h")
    assert pools(rsspot) == before
    Path("stack.yaml").write_text(STACK + POOL)
    assert "No changes." in rsspot("plan stack.yaml --prune")


def test_what_a_run_made_is_deleted(rsspot: Command) -> None:
    """The last thing that was added, and that very object."""
    apply(rsspot, STACK)
    apply(rsspot, STACK, POOL)
    rsspot("apply --undo 2 --yes")
    assert pools(rsspot) == []
    assert "workers is gone already" in rsspot("plan --undo 2")


def test_an_undo_is_taken_back(rsspot: Command) -> None:
    """It is a run like any other."""
    apply(rsspot, STACK, POOL)
    apply(rsspot, STACK, POOL.replace("desired: 2", "desired: 3"))
    after = pools(rsspot)
    rsspot("apply --undo 2 --yes --wait accepted")
    rsspot("apply --undo 3 --yes --wait accepted")
    assert pools(rsspot) == after


def test_handing_over_is_taken_back(rsspot: Command) -> None:
    """A pool that left its stack comes back to it."""
    apply(rsspot, STACK, POOL)
    rsspot("detach workers --yes")
    assert "belongs to no stack" in rsspot("plan stack.yaml", 5)
    rsspot("apply --undo 2 --yes")
    assert "No changes." in rsspot("plan stack.yaml")


def test_a_field_that_was_changed_again_goes_back_too(rsspot: Command) -> None:
    """And the plan says so."""
    apply(rsspot, STACK, POOL)
    apply(rsspot, STACK, POOL.replace("desired: 2", "desired: 3"))
    rsspot("""spotnodepools patch workers '{"desired": 7}'""")
    printed = rsspot("plan --undo 2")
    assert "spec.desired was changed again after that run" in printed
    assert "7 -> 2" in printed


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (STACK + POOL, STACK.replace("us-central-dfw-1", "us-east-iad-1"), "nothing brings back what lived in it"),
        (
            STACK.replace("1.31.1}", "1.31.1, webhook: https://example.com/one}"),
            STACK.replace("1.31.1}", "1.31.1, webhook: https://example.com/two}"),
            "had another spec.webhook, which is a secret and not kept",
        ),
    ],
    ids=["cloudspace", "secret"],
)
def test_what_cannot_be_taken_back_is_refused(rsspot: Command, before: str, after: str, message: str) -> None:
    """With the reason, and nothing of it is sent."""
    apply(rsspot, before)
    apply(rsspot, after)
    refused = rsspot("plan --undo 2", 5)
    assert message in refused
    assert "example.com" not in refused
    rsspot("apply --undo 2 --yes", 5)


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("plan --undo 9", 1, "the ledger has no run 9"),
        ("ledger show 9", 1, "the ledger has no run 9"),
        ("plan --undo 0", 3, "--undo"),
        ("plan stack.yaml --undo 1", 3, "cannot combine manifests with --undo"),
        ("plan --undo 1 --prune", 3, "takes back all that the run did"),
        ("apply --undo 1 --plan plan.json", 3, "cannot combine --plan with --undo"),
    ],
)
def test_a_mistake_undoes_nothing(rsspot: Command, line: str, code: int, message: str) -> None:
    """Each is an error of usage, but for a name that means nothing."""
    apply(rsspot, STACK)
    assert message in rsspot(line, code)


def test_the_ledger_shows_who_changed_what(rsspot: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every field before and after, the user, the job and the commit; no credential that an address may hold."""
    for name, value in {
        "CI_JOB_URL": "https://me:canary-password@gitlab.example/jobs/7?token=canary-token",
        "CI_COMMIT_SHA": "0123456789abcdef0123456789abcdef01234567",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("GITHUB_SERVER_URL", "GITHUB_SHA"):
        monkeypatch.delenv(name, raising=False)
    apply(rsspot, STACK, POOL)
    apply(rsspot, STACK, POOL.replace("desired: 2", "desired: 3"))
    printed = rsspot("ledger show 2")
    assert "ci: https://gitlab.example/jobs/7" in printed
    assert "commit: 0123456789abcdef0123456789abcdef01234567" in printed
    assert "2 -> 3" in printed
    document = json.loads(rsspot("ledger show 2 -o json"))
    assert "@" in document["madeBy"]["user"]
    (edit,) = document["changes"][0]["diff"]
    assert (edit["path"], edit["before"], edit["after"]) == (["spec", "desired"], 2, 3)
    assert "canary" not in printed + json.dumps(document)


def test_what_a_later_run_made_is_not_deleted(rsspot: Command) -> None:
    """It has the name of what the first run made, and is another object."""
    apply(rsspot, STACK, POOL)
    apply(rsspot, STACK)
    apply(rsspot, STACK, POOL)
    assert "is not the object that this run made" in rsspot("plan --undo 1", 5)


def test_what_a_run_only_found_to_be_so_is_not_undone(rsspot: Command) -> None:
    """A saved plan that is applied twice is undone once."""
    Path("stack.yaml").write_text(STACK + POOL)
    rsspot("plan stack.yaml --out plan.json")
    rsspot("apply --plan plan.json --yes --wait none")
    rsspot("apply --plan plan.json --yes --wait none")
    assert "No changes." in rsspot("plan --undo 2")


def test_a_secret_that_was_pasted_into_a_field_meanwhile_is_not_shown(rsspot: Command) -> None:
    """The field was no secret when the run changed it."""
    hook = "https://hooks.example.com/canary-secret"
    space = STACK.replace("1.31.1}", f"1.31.1, webhook: {hook}}}")
    noted = space.replace("{name: edge}", "{name: edge, annotations: {note: NOTE}}")
    apply(rsspot, noted.replace("NOTE", "a"))
    apply(rsspot, noted.replace("NOTE", "b"))
    (live,) = json.loads(rsspot("cloudspaces list -o json"))
    path = f"/apis/ngpc.rxt.io/v1/namespaces/{live['metadata']['namespace']}/cloudspaces/edge"
    rsspot(
        f"""raw --method PATCH --path {path} --body-json '{{"metadata": {{"annotations": {{"note": "{hook}"}}}}}}'"""
    )
    assert "canary" not in rsspot("plan --undo 2", 5)


def test_an_undo_says_what_it_costs(rsspot: Command) -> None:
    """What comes back is billed again, and what goes is not: like in any plan."""
    apply(rsspot, STACK, POOL)
    apply(rsspot, STACK)
    plan = rsspot("plan --undo 2")
    assert "Cost" in plan
    assert "spotnodepool/edge/workers" in plan.partition("Cost")[2]
    groups = json.loads(rsspot("plan --undo 2 -o json"))["cost"]["groups"]
    assert [each["address"] for group in groups for each in group["objects"]] == ["spotnodepool/edge/workers"]


@pytest.mark.parametrize("how", ["--undo 2 --yes", "--plan undo.json --yes"])
def test_a_move_is_taken_back(rsspot: Command, how: str) -> None:
    """At once, or by a plan that was saved and reviewed."""
    apply(rsspot, STACK, POOL)
    rsspot("move workers --to-stack other --yes")
    rsspot("plan --undo 2 --out undo.json")
    rsspot(f"apply {how}")
    assert "No changes." in rsspot("plan stack.yaml")


def test_a_saved_plan_takes_nothing_that_went_elsewhere(rsspot: Command) -> None:
    """What was given away twice is not taken from the last one."""
    apply(rsspot, STACK, POOL)
    rsspot("move workers --to-stack other --yes")
    rsspot("plan --undo 2 --out undo.json")
    rsspot("move workers --to-stack third --yes")
    assert "belongs to the stack 'third' now" in rsspot("apply --plan undo.json --yes", 6)
