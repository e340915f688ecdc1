"""The format of a saved plan, `rsspot.plan/1`, as models. `make reference` writes `plan.schema.json` from them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field, TypeAdapter

from rsspot.planner.change import Action
from rsspot.planner.json_model import CONFIG
from rsspot.planner.money_codec import PlanCost
from rsspot.planner.policy_codec import PlanPolicy, PlanSource
from rsspot.utils.serialization import Document

FORMAT = "rsspot.plan/1"


class _Json(BaseModel):
    model_config = CONFIG


class PlanTool(_Json):
    """What made the plan."""

    version: str


class PlanScope(_Json):
    """Which stack of which organization at which service; id holds all three."""

    id: str
    organization: str
    stack: str


class PlanInputs(_Json):
    """Where the manifests were read, the profile that the Stack named, and the programs that an apply runs.

    ledger and lease: what the Stack named; absent if it did not

    target and exclude: globs over the addresses that the plan is about, and is not about.
    """

    files: list[str]
    profile: str | None
    programs: dict[str, str] = {}
    target: list[str] = []
    exclude: list[str] = []
    ledger: str | None = None
    lease: str | None = None


class PlanProblem(_Json):
    """What a guard objects to."""

    rule: str
    message: str
    source: PlanSource | None
    hint: str | None


class PlanEdit(_Json):
    """One field that differs. before and after are null where the field is absent; secrets are masked.

    applied: its value when last applied · by, since: the program that changed it after that, and when
    """

    path: list[str]
    before: Any
    after: Any
    drift: bool
    secret: bool
    forces_replacement: bool
    applied: Any = None
    by: str | None = None
    since: str | None = None


class PlanBase(_Json):
    """The live object a change was planned on. managedDigest is of the fields at `paths`."""

    name: str
    uid: str | None
    paths: list[list[str]]
    managed_digest: str | None
    owner: str | None


class PlanChange(_Json):
    """One object and what is to become of it. patch is `diff` as RFC 6902; body is the whole object to create.

    image: what an object that goes was like, with its secrets masked · patchedBy: overlays that changed its manifest
    """

    address: str
    kind: str
    name: str
    action: Action
    reason: str
    source: PlanSource | None
    parent: str | None
    surge: bool
    deferred: bool
    takes: bool
    gives: bool
    drift: bool
    diff: list[PlanEdit]
    patch: list[dict[str, Any]]
    body: dict[str, Any] | None
    image: dict[str, Any] | None = None
    secrets: list[list[str]]
    filled: list[list[str]] = []
    after: list[str] = []
    filled_from: dict[str, str] = {}
    seals: dict[str, str]
    patched_by: list[PlanSource] = []
    base: PlanBase | None


class PlanPending(_Json):
    """A declared object that stays as it is and was not ready yet; an apply waits for it."""

    address: str
    kind: str
    name: str
    note: str


class PlanDocument(_Json):
    """A saved plan. digest is of what it would do: not of itself, times, places, notes, seals, cost and signature.

    cost is left out where nothing costs, and policies where the Stack has none.
    """

    format: Literal["rsspot.plan/1"] = Field(default="rsspot.plan/1", alias="schema")
    tool: PlanTool
    scope: PlanScope
    command: str
    complete: bool
    applyable: bool
    incomplete_reasons: dict[str, str]
    inputs: PlanInputs
    summary: dict[str, int]
    changes: list[PlanChange]
    pending: list[PlanPending] = []
    drifted: list[PlanChange] = []
    undeclared: list[str]
    refusals: list[PlanProblem]
    notes: list[str]
    policies: list[PlanPolicy] = []
    cost: PlanCost | None = None
    digest: str = ""
    created_at: str | None = None
    signature: str | None = None


ADAPTER = TypeAdapter(PlanDocument)


def schema() -> Document:
    """The JSON Schema of a saved plan, as it is shipped in `plan.schema.json`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": FORMAT,
        **ADAPTER.json_schema(by_alias=True, mode="serialization"),
    }
