"""The machinery answers as a real API server did: whole conversations, compared word for word."""

import json

import pytest

from rsspot.simulator.accounts.people import Tenant
from rsspot.simulator.api import Api
from rsspot.simulator.apiserver.messages import Request
from rsspot.simulator.apiserver.objects import Bare
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.world import World
from support.conversation import INSTALLED, NAMESPACE, answer, comparable, digests, recorded, request, steps, subjects


class Unguarded(Api):
    """An API server without Spot: no admission, no controllers, and a caller who may do anything."""

    def __init__(self):
        world = World(clock=ManualClock(), organizations=[Tenant(NAMESPACE, NAMESPACE, "token")])
        world.objects.service = Bare()
        super().__init__(world)

    def _guarded(self, caller, target):
        return target


@pytest.fixture
def ask():
    """Send a request and answer with what a recording would hold."""
    api = Unguarded()
    bearer = api.world.identity.id_token(api.world.organizations[0])

    def send(method, target, headers, body):
        sent = Request.of(method, target, {**headers, "Authorization": f"Bearer {bearer}"}, body)
        said = api.handle(sent)
        streamed = b"" if said.stream is None else b"".join(said.stream)
        named = {name.lower(): value for name, value in said.headers.items()}
        return answer(said.status, {**named, "content-type": said.content_type}, said.body + streamed)

    yield send
    api.world.close()


@pytest.mark.parametrize("subject", subjects())
def test_every_answer_is_that_of_a_real_server(ask, subject):
    """Statuses, bodies, messages, causes, warnings and managers, one step after the other."""
    said = []
    for step in steps(subject):
        said.append(ask(*request(step, said)))
    ours, theirs = comparable(said), comparable(recorded(subject))
    for number, (step, mine, real) in enumerate(zip(steps(subject), ours, theirs, strict=True)):
        told = f"{number}: {step['ask']}\n{json.dumps(step.get('body', step.get('text')))}"
        assert _shown(mine, step) == _shown(real, step), told


def test_a_real_server_has_installed_the_definitions_as_they_are():
    """Without a warning. Whoever changes one has it installed again: `make conversations`."""
    assert json.loads(INSTALLED.read_text()) == digests()


def _shown(said, step):
    """What of an answer is compared: all of it, or what a step says."""
    if step.get("alike") == "refusal":
        body = said["body"]
        return {"status": said["status"], "reason": body.get("reason"), "code": body.get("code")}
    return {key: value for key, value in said.items() if key not in step.get("except", ())}
