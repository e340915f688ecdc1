"""Every field of every kind in every spelling of nothing, zero and its value: what was applied is not planned again.

The planner's plans are carried out on the schemas of the simulator, and read back as one of several servers shows them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.errors import ManifestError
from rsspot.manifests.manifest import Manifest
from rsspot.manifests.parse import load
from rsspot.planner.change import Action, Change
from rsspot.planner.live import LiveState
from rsspot.planner.options import PlanOptions
from rsspot.planner.pipeline import build
from rsspot.planner.plan import Plan
from rsspot.resources.field import is_zero
from rsspot.resources.registry import kinds
from rsspot.simulator.apiserver.crds import shipped
from rsspot.simulator.apiserver.messages import Refusal
from rsspot.simulator.apiserver.patches import merged
from rsspot.simulator.apiserver.validation import completed, judge
from rsspot.utils.serialization import Document

EXAMPLES = Path(__file__).parents[2] / "examples/kinds"
KINDS = ("CloudSpace", "SpotNodePool", "OnDemandNodePool", "AutopilotNodePool", "VMSSHKey", "VMCloudSpace", "VMPool")
SCHEMAS = {definition.kind: definition for definition in shipped()}
ORGANIZATION, STACK, NAME = "org-abc123", "demo", "it"
MISSING = object()
OPTIONS = PlanOptions(most_deletes=100)
Place = tuple[str | int, ...]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_applied_is_not_planned_again(kind: str, tmp_path: Path) -> None:
    """From nothing, from the whole example, and from each spelling to each other one of the same field."""
    tried = 0
    whole = example(kind)
    for spellings in fields_of(whole):
        manifests = [each for spec in spellings if (each := read(kind, spec, tmp_path / "one.yaml"))]
        lives = [None, *(live for spec in (whole, *spellings) if (live := made(kind, spec)))]
        for index, manifest in enumerate(manifests):
            # All servers take their turns; all pairs with all servers would find nothing more.
            for turn, live in enumerate((lives[0], lives[1], lives[-1 - index % len(lives)])):
                tried += settles(manifest, live, SERVERS[(index + turn) % len(SERVERS)])
    assert tried > 10, "the spellings are no longer read, so nothing was tried"


def settles(manifest: Manifest, live: Document | None, server: Server) -> bool:
    """Carry out the plan of one manifest, if it is allowed, and look that the next one is empty."""
    plan = plan_of(manifest, server(live) if live else None)
    change = next((each for each in plan.changes if each.address == manifest.address), None)
    if plan.refusals or change is None:
        return False
    after = carried_out(change, live)
    if after is None:
        return False
    again = plan_of(manifest, server(after))
    left = [(each.action.value, each.edits) for each in again.changes if each.address == manifest.address]
    assert (left, again.refusals) == ([], ()), (server.__name__, manifest.spec, live and live["spec"])
    return True


def carried_out(change: Change, live: Document | None) -> Document | None:
    """The object once the service did what a change says; None where its schema refuses it, in its own words."""
    if change.action is Action.UPDATE and live is not None:
        return stored(change.ref.kind, merged(live, change.merge_patch), live)
    assert change.body is not None
    return stored(change.ref.kind, change.body, None)


def plan_of(manifest: Manifest, live: Document | None) -> Plan:
    """The plan of one manifest beside what it names."""
    objects = {kind: dict(of_kind) for kind, of_kind in CATALOG.items()}
    if live is not None:
        objects.setdefault(manifest.kind.name, {})[live["metadata"]["name"]] = live
    state = LiveState(ORGANIZATION, objects)
    return build([manifest], state, kinds(), stack=STACK, scope="tests", options=OPTIONS)


def stored(kind: str, body: Document, old: Document | None) -> Document | None:
    """An object as the API server stores it; None if it refuses it."""
    complete = completed(SCHEMAS[kind], {key: value for key, value in body.items() if key != "status"})
    complete["metadata"] = {"uid": "uid", "resourceVersion": "7", **complete["metadata"]}
    try:
        judge(SCHEMAS[kind], complete, old)
    except Refusal:
        return None
    return complete


def made(kind: str, spec: Document) -> Document | None:
    """A live object with a spec that anybody may have written, such as another tool."""
    model = kinds()[kind]
    name = model.wire_name(ORGANIZATION, NAME, spec)
    metadata: Document = {"name": name, "labels": {STACK_LABEL: STACK}, "annotations": {}}
    if name != NAME:
        metadata["annotations"] = {NAME_ANNOTATION: NAME}
    return stored(kind, {"apiVersion": model.api_version, "kind": kind, "metadata": metadata, "spec": spec}, None)


def read(kind: str, spec: Document, file: Path) -> Manifest | None:
    """The manifest of a spec; None if it is refused, with its place."""
    whole = {"apiVersion": kinds()[kind].api_version, "kind": kind, "metadata": {"name": NAME}, "spec": spec}
    file.write_text(json.dumps(whole), encoding="utf-8")
    try:
        return load([file], environ={}).manifests[0]
    except ManifestError:
        return None


def example(kind: str) -> Document:
    """The spec with every field that the documentation shows."""
    text = (EXAMPLES / f"{kind}.yaml").read_text(encoding="utf-8")
    spec: Document = yaml.safe_load(text)["spec"]
    for name in ("webhook", "vmUserData"):
        if name in spec:
            spec[name] = {"webhook": "https://example.com/hook", "vmUserData": "I2Nsb3VkLWNvbmZpZwo="}[name]
    return {**spec, **{name: f"{spec[name]:.2f}" for name in ("bidPrice", "budgetPerHour") if name in spec}}


def fields_of(spec: Document) -> Iterator[list[Document]]:
    """For each value in a spec: the spec with each spelling of it."""
    for place, value in places(spec, ()):
        yield [put(spec, place, spelling) for spelling in spellings_of(value)]


def places(value: Any, above: Place) -> Iterator[tuple[Place, Any]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*above, key), inner
        yield from places(inner, (*above, key))


def put(spec: Document, place: Place, value: Any) -> Document:
    """A spec with another value at a place."""
    changed = copy.deepcopy(spec)
    holder: Any = changed
    for key in place[:-1]:
        holder = holder[key]
    if value is MISSING:
        del holder[place[-1]]
    else:
        holder[place[-1]] = value
    return changed


def spellings_of(value: Any) -> Iterator[Any]:
    """A value, nothing, and what is as good as either of them."""
    yield from (value, MISSING, None)
    if isinstance(value, bool):
        yield from (False, True, str(value).lower())
    elif isinstance(value, int):
        yield from (0, 1, str(value), float(value))
    elif isinstance(value, str):
        yield from ("", f"{value}\n", *((f"{value}0", f"${value}", float(value)) if value[:2] == "0." else ()))
    elif isinstance(value, list):
        yield from ([], value[::-1], [*value, {"key": "more", "effect": "NoSchedule", "value": ""}], [None])
    else:
        yield from ({}, dict(reversed(value.items())), dict.fromkeys(value))


Server = Callable[[Document], Document]


def plain(live: Document) -> Document:
    """A server that shows what is stored."""
    return live


def terse(live: Document) -> Document:
    """A Go server: it leaves out what is zero, everywhere but in maps of strings."""
    return {**live, "spec": _terse(live["spec"])}


def _terse(value: Any) -> Any:
    if isinstance(value, list):
        return [_terse(item) for item in value]
    if not isinstance(value, dict) or (all(isinstance(each, str) for each in value.values()) and "key" not in value):
        return value
    return {key: _terse(inner) for key, inner in value.items() if not is_zero(inner)}


def wordy(live: Document) -> Document:
    """A server that shows null for every field without a value."""
    names = {path[0] for path in kinds()[live["kind"]].fields}
    return {**live, "spec": {**dict.fromkeys(names), **live["spec"]}}


def busy(live: Document) -> Document:
    """A server that keeps fields of its own in objects: of taints, when they were added."""
    spec = {
        key: [{**item, "timeAdded": "2026-01-01T00:00:00Z"} for item in inner] if isinstance(inner, list) else inner
        for key, inner in live["spec"].items()
    }
    if "autoscaling" in spec:
        spec["autoscaling"] = {**spec["autoscaling"], "lastScaled": "2026-01-01T00:00:00Z"}
    return {**live, "spec": spec}


def older(live: Document) -> Document:
    """A server that does not show the defaults of its schema."""
    fields = kinds()[live["kind"]].fields
    defaults = {path[0]: field.service_default for path, field in fields.items() if len(path) == 1}
    return {**live, "spec": {key: value for key, value in live["spec"].items() if value != defaults.get(key, MISSING)}}


SERVERS: tuple[Server, ...] = (plain, terse, wordy, busy, older)


def _named(kind: str, name: str, **spec: Any) -> dict[str, dict[str, Document]]:
    return {kind: {name: {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "uid": name}, "spec": spec}}}


CATALOG = {
    **_named("Region", "us-central-dfw-2"),
    "ServerClass": {
        name: _named("ServerClass", name, minBidPricePerHour="0.01")["ServerClass"][name]
        for name in ("gp.vs2.large-dfw2", "gp.vs2.medium-dfw2")
    },
    **_named("CloudSpace", "edge", region="us-central-dfw-2", kubernetesVersion="1.33.0"),
    **_named("VMCloudSpace", "edge-vms", region="us-central-dfw-2", vmSshKeyRef={"name": "operators"}),
    **_named("VMSSHKey", "operators"),
}
