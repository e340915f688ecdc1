"""Every answer a write can get, and what comes of it: requests sent, the step, the exit code, the next plan."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from rsspot.applier.events import StepEnded
from rsspot.constants import STACK_LABEL
from rsspot.errors import RsspotError
from rsspot.planner.plan import Plan
from rsspot.state.ledger.protocol import AttemptRecord, StepState
from rsspot.testing import SimulatedSpot
from rsspot.wire import httpx
from support.scenes import BASE, CLOUDSPACE, NAMESPACE, OpenScene, Scene, births, living

NEWER = CLOUDSPACE.replace("1.31.1", "1.32.0")
Turn = Callable[[httpx.Request, httpx.AsyncBaseTransport], Awaitable[httpx.Response | None]]
"""What becomes of one mutation."""


@dataclass(frozen=True)
class Write:
    """One mutation: what was there, what is wanted, and how the request for it is told from others."""

    method: str
    path: str
    before: str | None
    after: str
    action: str


WRITES = {
    "create": Write("POST", "/cloudspaces$", None, CLOUDSPACE, "create"),
    "patch": Write("PATCH", "/cloudspaces/edge$", CLOUDSPACE, NEWER, "update"),
    "delete": Write("DELETE", "/ondemandnodepools/", CLOUDSPACE + BASE, CLOUDSPACE, "delete"),
}
every_write = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


@dataclass
class Stage:
    """A scene right before its one mutation, and what happens to that."""

    spot: SimulatedSpot
    scene: Scene
    write: Write
    plan: Plan
    turns: list[Turn]
    sent: list[float] = field(default_factory=list)
    code: int = -1

    def fault(self, what: Any, **rest: int) -> None:
        """Script a fault of the mutation."""
        self.spot.faults.add(what, self.write.method, self.write.path, **rest)

    async def run(self) -> None:
        """Apply the plan; gives the exit code a command would end with."""
        try:
            self.code = (await self.scene.run(self.plan)).exit_code
        except RsspotError as error:
            self.code = error.exit_code
        self.spot.faults.script.clear()
        self.turns.clear()

    @property
    def step(self) -> StepEnded:
        """The end of the one step, as an event; the ledger says the same."""
        (ended,) = self.scene.of(StepEnded)
        (kept,) = self.scene.ledger.steps(self.scene.ledger.runs()[0].id)
        assert (kept.state, kept.detail) == (ended.state, ended.detail) or ended.readiness
        assert kept.state is ended.state
        return ended

    @property
    def kept(self) -> StepState:
        """The state of the one step in the ledger."""
        return self.scene.ledger.steps(self.scene.ledger.runs()[0].id)[0].state

    @property
    def attempts(self) -> list[AttemptRecord]:
        """What the ledger says of each attempt."""
        return self.scene.ledger.attempts(self.scene.ledger.runs()[0].id)

    async def left(self) -> list[str]:
        """What the next plan would still do."""
        return [change.action.value for change in (await self.scene.plan(self.write.after)).changes]

    async def assert_finished_by_the_next(self) -> None:
        """One more run ends well, and leaves one object of each name and nothing open."""
        recap = await self.scene.apply(self.write.after)
        assert recap.outcome == "ok", recap
        assert not self.scene.ledger.open_steps(self.plan.scope)
        assert await self.left() == []
        assert all(times == 1 for times in births(self.spot.world, "cloudspaces").values())


SetStage = Callable[..., Awaitable[Stage]]


@pytest.fixture
def set_stage(spot_api: SimulatedSpot, open_scene: OpenScene) -> SetStage:
    """Sets the stage for a write; the first mutation gets the first turn, and what has none goes its usual way."""

    async def set_it(write: Write, *turns: Turn) -> Stage:
        waiting: list[Turn] = []
        sent: list[float] = []

        async def act(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response | None:
            if request.method != write.method or request.url.path.startswith("/oauth"):
                return None
            sent.append(spot_api.clock.time())
            return await waiting.pop(0)(request, inner) if waiting else None

        scene = open_scene(act)
        if write.before:
            assert (await scene.apply(write.before)).outcome == "ok"
        plan = await scene.plan(write.after)
        assert [change.action.value for change in plan.changes] == [write.action]
        sent.clear()
        waiting.extend(turns)
        return Stage(spot_api, scene, write, plan, waiting, sent)

    return set_it


def status(code: int, message: str = "no", reason: str = "", causes: dict[str, str] | None = None) -> httpx.Response:
    """A failure as Kubernetes tells it."""
    details = {"causes": [{"field": name, "message": said} for name, said in (causes or {}).items()]}
    document = {"kind": "Status", "code": code, "message": message, "reason": reason, "details": details}
    return httpx.Response(code, json=document)


def answered(code: int, *, executed: bool = False, **said: Any) -> Turn:
    """Answered with a failure, and done or not done all the same."""

    async def turn(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response:
        if executed:
            await inner.handle_async_request(request)
        return status(code, **said)

    return turn


def lost(*, executed: bool, timeout: bool = False) -> Turn:
    """No answer at all."""

    async def turn(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response:
        if executed:
            await inner.handle_async_request(request)
        failure = httpx.ReadTimeout if timeout else httpx.ReadError
        raise failure("nobody answers", request=request)

    return turn


def rewritten(change: Callable[[dict[str, Any]], None]) -> Turn:
    """Carried out, but with another body: a service that defaults, clamps or drops what it was sent."""

    async def turn(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response:
        body = json.loads(request.content)
        change(body)
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        return await inner.handle_async_request(
            httpx.Request(request.method, request.url, headers=headers, content=json.dumps(body).encode())
        )

    return turn


def after(happening: Callable[[], None]) -> Turn:
    """Something happens to the world right before the request arrives."""

    async def turn(_: httpx.Request, __: httpx.AsyncBaseTransport) -> None:
        happening()

    return turn


# 2xx


@every_write
async def test_an_accepted_write_is_sent_once(set_stage: SetStage, write: Write) -> None:
    """Nothing else is sent, and nothing is left to do."""
    stage = await set_stage(write)
    await stage.run()
    assert (stage.code, stage.step.state, len(stage.sent)) == (0, StepState.DONE, 1)
    assert [each.outcome for each in stage.attempts] == ["ok"]
    assert await stage.left() == []


async def test_what_the_service_adds_is_no_difference(set_stage: SetStage) -> None:
    """A default for a field that nobody wrote is the service's to choose."""
    stage = await set_stage(WRITES["create"], rewritten(lambda body: body["spec"].update(cni="cilium")))
    await stage.run()
    assert (stage.code, stage.step.state, len(stage.sent)) == (0, StepState.DONE, 1)
    assert await stage.left() == []


async def test_a_create_whose_value_the_service_changed_is_told(set_stage: SetStage) -> None:
    """The field is named, and the next plan shows what is left to do."""
    lowered = rewritten(lambda body: body["spec"].update(kubernetesVersion="1.30.10"))
    stage = await set_stage(WRITES["create"], lowered)
    await stage.run()
    assert len(stage.sent) == 1
    (kept,) = stage.scene.ledger.steps(stage.scene.ledger.runs()[0].id)
    assert "spec/kubernetesVersion" in kept.detail
    assert await stage.left() == ["update"]


async def test_a_create_whose_value_the_service_changed_has_failed(set_stage: SetStage) -> None:
    """Otherwise a pipeline goes on with something that nobody asked for."""
    lowered = rewritten(lambda body: body["spec"].update(kubernetesVersion="1.30.10"))
    stage = await set_stage(WRITES["create"], lowered)
    await stage.run()
    assert (stage.step.state, stage.code) == (StepState.FAILED, 1)


async def test_a_create_whose_object_is_at_once_on_its_way_out_is_told_in_a_sentence(set_stage: SetStage) -> None:
    """Somebody deleted it before the answer was written: made, and not to stay."""

    async def turn(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response:
        made = json.loads(await (await inner.handle_async_request(request)).aread())
        made["metadata"]["deletionTimestamp"] = "2026-09-22T00:00:00Z"
        return httpx.Response(201, json=made)

    stage = await set_stage(WRITES["create"], turn)
    await stage.run()
    assert (stage.step.state, stage.code, len(stage.sent)) == (StepState.FAILED, 1, 1)
    assert stage.step.detail == "created, but not as it was asked for: it is still being deleted"


CHANGED_VALUES = {
    "another value": rewritten(lambda body: body["spec"].update(kubernetesVersion="1.31.9")),
    "dropped": rewritten(lambda body: body.update(spec={})),
}


@pytest.mark.parametrize("turn", CHANGED_VALUES.values(), ids=CHANGED_VALUES)
async def test_a_patch_whose_value_the_service_changed_is_never_taken_for_done(set_stage: SetStage, turn: Turn) -> None:
    """It is not sent for ever either, and the next plan shows what is left to do."""
    stage = await set_stage(WRITES["patch"], *[turn] * 10)
    await stage.run()
    assert stage.code != 0
    assert len(stage.sent) <= 8
    assert await stage.left() == ["update"]


@pytest.mark.parametrize("turn", CHANGED_VALUES.values(), ids=CHANGED_VALUES)
async def test_a_patch_whose_value_the_service_changed_has_failed(set_stage: SetStage, turn: Turn) -> None:
    """It was accepted, so it is neither stale nor unknown, and sending it again would come to the same."""
    stage = await set_stage(WRITES["patch"], *[turn] * 10)
    await stage.run()
    assert (stage.step.state, stage.code, len(stage.sent)) == (StepState.FAILED, 1, 1)


# A definite no


@pytest.mark.parametrize("code", [400, 402, 403, 422])
@every_write
async def test_a_definite_no_is_final(set_stage: SetStage, write: Write, code: int) -> None:
    """Sent once, failed, and still to be done by the next plan."""
    stage = await set_stage(write)
    stage.fault("status", status=code, times=99)
    await stage.run()
    assert (stage.code, stage.step.state, len(stage.sent)) == (1, StepState.FAILED, 1)
    assert [str(each.outcome).endswith("scripted fault") for each in stage.attempts] == [True]
    assert await stage.left() == [write.action]
    await stage.assert_finished_by_the_next()


WRONG_VERSION = answered(
    422, message="CloudSpace is invalid", reason="Invalid", causes={"spec.kubernetesVersion": "not offered any more"}
)


@pytest.mark.parametrize("name", ["create", "patch"])
async def test_a_rejected_field_is_named(set_stage: SetStage, name: str) -> None:
    """The message alone does not say where to look."""
    stage = await set_stage(WRITES[name], WRONG_VERSION)
    await stage.run()
    assert "spec.kubernetesVersion: not offered any more" in stage.step.detail


@pytest.mark.parametrize("name", ["create", "patch"])
async def test_a_rejected_field_is_told_with_its_line(set_stage: SetStage, name: str) -> None:
    """Guards point at the line of a manifest, and so should the service's own objections."""
    stage = await set_stage(WRITES[name], WRONG_VERSION)
    await stage.run()
    assert "stack.yaml:5:" in stage.step.detail


# 401


@every_write
async def test_a_token_that_is_refused_once_is_renewed(set_stage: SetStage, write: Write) -> None:
    """Nothing was executed, so the same request goes out again, and the step knows of one attempt."""
    stage = await set_stage(write)
    stage.fault("status", status=401)
    logins = len(stage.spot.transport.carried) - len(stage.spot.requests())
    await stage.run()
    assert (stage.code, stage.step.state, len(stage.sent)) == (0, StepState.DONE, 2)
    assert len(stage.spot.transport.carried) - len(stage.spot.requests()) == logins + 1
    assert [each.outcome for each in stage.attempts] == ["ok"]
    assert await stage.left() == []


@every_write
async def test_a_token_that_is_refused_twice_ends_the_run(set_stage: SetStage, write: Write) -> None:
    """With the exit code of a refused token, and the next run does what was not done."""
    stage = await set_stage(write)
    stage.fault("status", status=401, times=99)
    await stage.run()
    assert (stage.code, len(stage.sent)) == (4, 2)
    assert stage.kept in (StepState.INTENT, StepState.SKIPPED, StepState.FAILED)
    assert await stage.left() == [write.action]
    await stage.assert_finished_by_the_next()


# 403 after an attempt that may have been carried out


@every_write
async def test_a_no_after_an_attempt_that_did_nothing_has_failed(set_stage: SetStage, write: Write) -> None:
    """The first attempt never arrived, and reading shows that."""
    stage = await set_stage(write, lost(executed=False), answered(403, message="exceeded quota"))
    await stage.run()
    assert (stage.code, stage.step.state, len(stage.sent)) == (1, StepState.FAILED, 2)
    assert await stage.left() == [write.action]


@every_write
@pytest.mark.parametrize("losses", [1, 4])
async def test_a_no_after_an_attempt_that_arrived_late_is_settled_by_reading(
    set_stage: SetStage, write: Write, losses: int
) -> None:
    """An earlier attempt was carried out after it was looked for; the no is about the last one alone."""
    late = answered(403, executed=True, message="exceeded quota")
    stage = await set_stage(write, *[lost(executed=False)] * losses, late)
    await stage.run()
    assert (stage.code, stage.step.state, len(stage.sent)) == (0, StepState.DONE, losses + 1)
    assert await stage.left() == []


# 404


async def test_a_patch_of_what_is_gone_is_refused(spot_api: SimulatedSpot, set_stage: SetStage) -> None:
    """What was approved was a change of something that is no longer there; making it anew is another plan."""
    stage = await set_stage(WRITES["patch"], after(lambda: vanish(spot_api, "cloudspaces")))
    await stage.run()
    assert (stage.code, stage.step.state, len(stage.sent)) == (6, StepState.REFUSED, 1)
    assert await stage.left() == ["create"]


async def test_a_delete_of_what_is_gone_is_done(spot_api: SimulatedSpot, set_stage: SetStage) -> None:
    """Somebody else was faster, which is as good."""
    stage = await set_stage(WRITES["delete"], after(lambda: vanish(spot_api, "ondemandnodepools")))
    await stage.run()
    assert (stage.code, stage.step.state, len(stage.sent)) == (0, StepState.DONE, 1)
    assert await stage.left() == []


def vanish(spot: SimulatedSpot, plural: str) -> None:
    """Every object of a plural goes, at once."""
    for body in spot.world.store.objects(plural, NAMESPACE):
        spot.world.store.remove(plural, body)


# 409


def appear(stage_plan: Callable[[], Plan], spot: SimulatedSpot, **labels: str) -> Callable[[], None]:
    """The planned object is made by somebody, with these labels over the planned ones."""

    def happen() -> None:
        body = json.loads(json.dumps(stage_plan().changes[0].body))
        body["metadata"] |= {"namespace": NAMESPACE, "uid": "00000000-0000-4000-8000-000000000001"}
        body["metadata"]["labels"] = {**body["metadata"]["labels"], **labels}
        body["metadata"]["creationTimestamp"] = "2026-09-22T00:00:00Z"
        body["status"] = {"APIServerEndpoint": "edge.example.com", "phase": "Ready"}
        spot.world.store.put("cloudspaces", body)

    return happen


@pytest.mark.parametrize("whose", ["ours", "another stack's"])
async def test_a_name_that_is_taken(spot_api: SimulatedSpot, set_stage: SetStage, whose: str) -> None:
    """Ours and as wanted is as good as made; anybody else's is refused and left alone."""
    stage: Stage
    labels = {} if whose == "ours" else {STACK_LABEL: "theirs"}
    stage = await set_stage(WRITES["create"], after(appear(lambda: stage.plan, spot_api, **labels)))
    await stage.run()
    wanted = (0, StepState.SATISFIED, 1) if whose == "ours" else (6, StepState.REFUSED, 1)
    assert (stage.code, stage.step.state, len(stage.sent)) == wanted
    assert len(living(spot_api.world, "cloudspaces")) == 1
    if whose == "ours":
        assert await stage.left() == []
    else:
        assert "'theirs'" in stage.step.detail
        assert (await stage.scene.plan(CLOUDSPACE)).refusals


async def test_a_name_that_is_taken_by_ours_with_another_spec_is_refused(
    spot_api: SimulatedSpot, set_stage: SetStage
) -> None:
    """Changing it was not what was approved; the next plan is about that."""
    stage: Stage
    make = appear(lambda: stage.plan, spot_api)

    def happen() -> None:
        make()
        (body,) = spot_api.world.store.objects("cloudspaces", NAMESPACE)
        spot_api.world.store.put("cloudspaces", {**body, "spec": {**body["spec"], "kubernetesVersion": "1.30.10"}})

    stage = await set_stage(WRITES["create"], after(happen))
    await stage.run()
    assert (stage.code, stage.step.state, len(stage.sent)) == (6, StepState.REFUSED, 1)
    assert "spec/kubernetesVersion" in stage.step.detail
    assert await stage.left() == ["update"]


@pytest.mark.parametrize("name", ["patch", "delete"])
async def test_a_conflict_without_a_change_is_read_and_sent_again(set_stage: SetStage, name: str) -> None:
    """The version moved, and nothing that was approved did."""
    no = answered(409, reason="Conflict", message="the object has been modified")
    stage = await set_stage(WRITES[name], no, no)
    await stage.run()
    assert (stage.code, stage.step.state, len(stage.sent)) == (0, StepState.DONE, 3)
    assert ["Conflict" in str(each.outcome) for each in stage.attempts] == [True, True, False]
    assert await stage.left() == []


async def test_a_conflict_is_not_answered_at_once(set_stage: SetStage) -> None:
    """Two writers who meet would meet again."""
    no = answered(409, reason="Conflict", message="the object has been modified")
    stage = await set_stage(WRITES["patch"], no, no)
    await stage.run()
    assert all(later > earlier for earlier, later in pairwise(stage.sent))


@pytest.mark.parametrize("name", ["patch", "delete"])
async def test_endless_conflicts_end(set_stage: SetStage, name: str) -> None:
    """At most ten sends, no success, and the next run does it."""
    no = answered(409, reason="Conflict", message="the object has been modified")
    stage = await set_stage(WRITES[name], *[no] * 50)
    await stage.run()
    assert stage.code != 0
    assert 1 < len(stage.sent) <= 10
    assert await stage.left() == [WRITES[name].action]
    await stage.assert_finished_by_the_next()


async def test_endless_conflicts_are_not_unknown(set_stage: SetStage) -> None:
    """Exit code 11 says that nobody knows what became of a write; here everybody does."""
    no = answered(409, reason="Conflict", message="the object has been modified")
    stage = await set_stage(WRITES["patch"], *[no] * 50)
    await stage.run()
    assert stage.code in (1, 6)


async def test_a_conflict_with_a_change_is_refused_with_the_difference(
    spot_api: SimulatedSpot, set_stage: SetStage
) -> None:
    """Somebody changed what was approved: their value is told, and not overwritten."""

    def change() -> None:
        (body,) = spot_api.world.store.objects("cloudspaces", NAMESPACE)
        body["spec"]["kubernetesVersion"] = "1.31.9"
        spot_api.world.store.put("cloudspaces", body)

    stage = await set_stage(WRITES["patch"], after(change))
    await stage.run()
    assert (stage.code, stage.step.state, len(stage.sent)) == (6, StepState.REFUSED, 1)
    assert "'1.31.9'" in stage.step.detail
    assert living(spot_api.world, "cloudspaces")[0]["spec"]["kubernetesVersion"] == "1.31.9"
    assert await stage.left() == ["update"]


async def test_a_delete_of_what_was_made_anew_leaves_the_new_one(spot_api: SimulatedSpot, set_stage: SetStage) -> None:
    """The one that was to go is gone; another of its name is another."""

    def replace() -> None:
        (body,) = spot_api.world.store.objects("ondemandnodepools", NAMESPACE)
        spot_api.world.store.remove("ondemandnodepools", body)
        body["metadata"]["uid"] = "00000000-0000-4000-8000-000000000001"
        spot_api.world.store.put("ondemandnodepools", body)

    stage = await set_stage(WRITES["delete"], after(replace))
    await stage.run()
    assert (stage.code, stage.step.state, len(stage.sent)) == (0, StepState.DONE, 1)
    assert len(living(spot_api.world, "ondemandnodepools")) == 1


async def test_a_name_that_is_still_on_its_way_out_is_refused(spot_api: SimulatedSpot, set_stage: SetStage) -> None:
    """Its object is taken neither for ours nor for absent."""
    stage: Stage
    make = appear(lambda: stage.plan, spot_api)

    def happen() -> None:
        make()
        (body,) = spot_api.world.store.objects("cloudspaces", NAMESPACE)
        body["metadata"] |= {"deletionTimestamp": "2026-09-22T00:00:00Z", "finalizers": ["somebody"]}
        spot_api.world.store.put("cloudspaces", body)

    stage = await set_stage(WRITES["create"], after(happen))
    await stage.run()
    assert (stage.code, stage.step.state, len(stage.sent)) == (6, StepState.REFUSED, 1)
    assert "still being deleted" in stage.step.detail


async def test_a_replacement_waits_until_the_old_one_is_gone(spot_api: SimulatedSpot, scene: Scene) -> None:
    """Its name is free only then: one DELETE, one POST, and no 409 between them."""
    await scene.apply(CLOUDSPACE)
    elsewhere = CLOUDSPACE.replace("dfw-1", "ord-1")
    (first,) = living(spot_api.world, "cloudspaces")
    carried = len(spot_api.requests())
    assert (await scene.apply(elsewhere)).outcome == "ok"
    writes = [method for method, _ in spot_api.requests()[carried:] if method != "GET"]
    assert writes == ["DELETE", "POST"]
    (second,) = living(spot_api.world, "cloudspaces")
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert (await scene.plan(elsewhere)).empty


# 410 on a LIST


def crowd(spot: SimulatedSpot) -> None:
    """More foreign pools than fit on a page."""
    for number in range(501):
        name = f"00000000-0000-4000-8000-{number:012}"
        spec = {"cloudSpace": "other", "serverClass": "gp.vs1.medium-dfw", "desired": 1, "bidPrice": "0.06"}
        body = {"metadata": {"name": name, "namespace": NAMESPACE, "uid": name, "labels": {}}, "spec": spec}
        spot.world.store.put("spotnodepools", body)


@pytest.mark.parametrize("expiries", [1, 2])
async def test_a_list_that_expires_is_read_again(spot_api: SimulatedSpot, scene: Scene, expiries: int) -> None:
    """From its beginning; the plan is as if nothing had happened."""
    crowd(spot_api)
    for _ in range(expiries):
        spot_api.faults.add("status", "GET", "/spotnodepools$", skip=1, status=410)
    plan = await scene.plan(CLOUDSPACE)
    assert plan.complete
    assert [change.action.value for change in plan.changes] == ["create"]


async def test_a_list_that_expires_again_and_again_leaves_the_plan_incomplete(
    spot_api: SimulatedSpot, open_scene: OpenScene
) -> None:
    """Three tries; then nothing of that kind is deleted, and the reason is told."""
    pools = []

    async def expire(request: httpx.Request, _: httpx.AsyncBaseTransport) -> httpx.Response | None:
        if not request.url.path.endswith("/spotnodepools"):
            return None
        pools.append(dict(request.url.params))
        return status(410, reason="Expired") if "continue" in request.url.params else None

    crowd(spot_api)
    plan = await open_scene(expire).plan(CLOUDSPACE)
    assert set(plan.incomplete) == {"SpotNodePool"}
    assert ["continue" in each for each in pools] == [False, True] * 3
    assert "delete" not in [change.action.value for change in plan.changes]


# 429 and 503 with Retry-After


@every_write
async def test_a_throttled_write_is_sent_again_when_the_service_said(set_stage: SetStage, write: Write) -> None:
    """429 means not executed: it is no ambiguity, so the ledger knows of one attempt."""
    stage = await set_stage(write)
    stage.fault("status", status=429, retry_after=20, times=2)
    await stage.run()
    assert (stage.code, stage.step.state, len(stage.sent)) == (0, StepState.DONE, 3)
    assert all(later - earlier >= 20 for earlier, later in pairwise(stage.sent))
    assert [each.outcome for each in stage.attempts] == ["ok"]
    assert await stage.left() == []


@every_write
async def test_a_throttled_write_that_is_to_wait_too_long_has_failed(set_stage: SetStage, write: Write) -> None:
    """Neither waited for nor cut short."""
    stage = await set_stage(write)
    stage.fault("status", status=429, retry_after=3600, times=99)
    await stage.run()
    assert (stage.code, stage.step.state, len(stage.sent)) == (1, StepState.FAILED, 1)
    assert await stage.left() == [write.action]


@every_write
async def test_an_unavailable_service_is_settled_by_reading(set_stage: SetStage, write: Write) -> None:
    """503 may have been executed: it is looked up, and sent again only because it was not."""
    stage = await set_stage(write)
    stage.fault("status", status=503, retry_after=20)
    await stage.run()
    assert (stage.code, stage.step.state, len(stage.sent)) == (0, StepState.DONE, 2)
    assert await stage.left() == []


@pytest.mark.parametrize(
    "name",
    [
        "create",
        *(name for name in ("patch", "delete")),
    ],
)
async def test_an_unavailable_service_is_left_alone_for_as_long_as_it_said(set_stage: SetStage, name: str) -> None:
    """Whoever asks earlier keeps it down."""
    stage = await set_stage(WRITES[name])
    stage.fault("status", status=503, retry_after=20)
    await stage.run()
    assert all(later - earlier >= 20 for earlier, later in pairwise(stage.sent))


# Nobody knows


@pytest.mark.parametrize("code", [500, 502, 504])
@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
@every_write
async def test_a_failing_gateway_is_settled_by_reading(
    set_stage: SetStage, write: Write, executed: bool, code: int
) -> None:
    """Before the effect it is sent once more; after it, never."""
    stage = await set_stage(write, answered(code, executed=executed))
    await stage.run()
    await assert_settled(stage, executed)


@pytest.mark.parametrize("timeout", [False, True], ids=["reset", "timeout"])
@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
@every_write
async def test_a_lost_answer_is_settled_by_reading(
    set_stage: SetStage, write: Write, executed: bool, timeout: bool
) -> None:
    """Before the effect it is sent once more; after it, never."""
    stage = await set_stage(write, lost(executed=executed, timeout=timeout))
    await stage.run()
    await assert_settled(stage, executed)


async def assert_settled(stage: Stage, executed: bool) -> None:
    """One effect, the doubt on record, and nothing left to do."""
    assert (stage.code, stage.step.state) == (0, StepState.DONE)
    assert len(stage.sent) == (1 if executed else 2)
    assert [str(each.outcome).partition(":")[0] for each in stage.attempts] == ["OutcomeUnknown", "ok"][
        : len(stage.sent)
    ]
    assert await stage.left() == []
    assert all(times == 1 for times in births(stage.spot.world, "cloudspaces").values())


@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
@every_write
async def test_what_cannot_even_be_looked_up_is_unknown(
    spot_api: SimulatedSpot, set_stage: SetStage, write: Write, executed: bool
) -> None:
    """Exit code 11, the step stays open, and the next run finds out."""
    stage = await set_stage(write, lost(executed=executed))
    # Before it is sent, a patch or delete is read once.
    spot_api.faults.add(
        "status",
        "GET",
        r"/(cloudspaces/edge|ondemandnodepools/[^/]+)$",
        skip=0 if write.method == "POST" else 1,
        status=503,
        times=1000,
    )
    await stage.run()
    assert (stage.code, stage.kept, len(stage.sent)) == (11, StepState.UNKNOWN, 1)
    assert [left.step.state for left in stage.scene.ledger.open_steps(stage.plan.scope)] == [StepState.UNKNOWN]
    await stage.assert_finished_by_the_next()


async def test_a_write_that_is_lost_every_time_is_not_sent_for_ever(set_stage: SetStage) -> None:
    """At most eight attempts, each after a read, and then it is unknown."""
    stage = await set_stage(WRITES["create"], *[lost(executed=False)] * 50)
    await stage.run()
    assert (stage.code, stage.kept) == (11, StepState.UNKNOWN)
    assert 1 < len(stage.sent) <= 8
    await stage.assert_finished_by_the_next()
