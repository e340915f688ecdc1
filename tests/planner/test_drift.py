"""Drift and what is not applied yet, told apart by three values of each field: as applied, as it is, as declared."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from rsspot.constants import STACK_LABEL
from rsspot.manifests.parse import load
from rsspot.models.refs import Ref
from rsspot.planner.attribution import OURS
from rsspot.planner.drift import with_drift
from rsspot.planner.live import LiveState
from rsspot.planner.pipeline import build
from rsspot.planner.plan import Plan
from rsspot.resources.registry import kinds
from rsspot.state.ledger.protocol import OwnedObject
from rsspot.utils.serialization import Document

EDGE = Ref("CloudSpace", "edge")
VERSIONS = st.sampled_from(["1.31.1", "1.32.0", "1.33.0"])
WRITERS = st.sampled_from([OURS, "console", None])


def report(
    declared: str, live: str | None, applied: str | None, *, recorded: bool = True, writer: str | None = None
) -> Plan:
    """What comes of one cloudspace. live: None if it is not there · applied: None if this ledger never saw it"""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "stack.yaml"
        head = "apiVersion: ngpc.rxt.io/v1\nkind: CloudSpace\nmetadata: {name: edge}\n"
        file.write_text(f"{head}spec: {{region: us-central-dfw-1, kubernetesVersion: {declared}}}\n")
        manifests = load([file], environ={})
    objects = {"edge": _living(live, writer)} if live else {}
    fields = {"spec/region": "us-central-dfw-1", "spec/kubernetesVersion": applied}
    owned = {EDGE: OwnedObject(EDGE, "cloudspace/edge", "uid-1", fields)} if applied and recorded else {}
    region = {"us-central-dfw-1": {"metadata": {"name": "us-central-dfw-1"}, "spec": {}}}
    state = LiveState("org-tests", {"CloudSpace": objects, "Region": region}, owned=owned)
    plan = build(manifests.manifests, state, kinds(), stack="demo", scope="tests")
    return with_drift(plan, state, kinds())


def _living(version: str, writer: str | None) -> Document:
    fields = {"f:spec": {"f:kubernetesVersion": {}}}
    written = [{"manager": writer, "time": "2026-01-01T00:00:00Z", "fieldsV1": fields}] if writer else []
    metadata = {"name": "edge", "uid": "uid-1", "labels": {STACK_LABEL: "demo"}, "managedFields": written}
    return {"metadata": metadata, "spec": {"region": "us-central-dfw-1", "kubernetesVersion": version}}


def values(changes: object) -> list[tuple[object, object]]:
    return [(edit.before, edit.after) for change in changes for edit in change.edits]  # type: ignore[attr-defined]


@settings(max_examples=60, deadline=None)
@given(VERSIONS, VERSIONS, VERSIONS)
def test_three_values_say_what_it_is(declared: str, live: str, applied: str) -> None:
    """Drift is neither as applied nor as declared; not applied is what was never applied and is not so."""
    found = report(declared, live, applied)
    assert values(found.drifted) == ([(applied, live)] if live not in (applied, declared) else [])
    assert values(found.changes) == ([(live, declared)] if declared not in (live, applied) else [])


@settings(max_examples=40, deadline=None)
@given(VERSIONS, VERSIONS, WRITERS)
def test_without_a_record_its_last_writer_says(declared: str, live: str, writer: str | None) -> None:
    """What this program wrote last is not applied yet. Nothing is both, and no difference is passed over."""
    found = report(declared, live, None, writer=writer)
    differs, ours = declared != live, writer == OURS
    assert values(found.drifted) == ([(declared, live)] if differs and not ours else [])
    assert values(found.changes) == ([(live, declared)] if differs and ours else [])
    assert all(edit.by == writer for change in found.drifted for edit in change.edits)


@settings(max_examples=20, deadline=None)
@given(VERSIONS, VERSIONS)
def test_an_object_that_is_gone_was_there(declared: str, applied: str) -> None:
    """By the ledger; without one, nobody can tell, and it is drift as well."""
    for found in (report(declared, None, applied), report(declared, None, None)):
        assert [each.action.value for each in found.drifted] == ["delete"] and not found.changes
