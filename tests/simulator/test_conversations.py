"""The simulator answers like a real API server: recorded conversations are replayed and compared."""

import json

import pytest

from rsspot.simulator.accounts.people import Tenant
from rsspot.simulator.api import Api
from rsspot.simulator.apiserver.messages import Request
from rsspot.simulator.clock import ManualClock
from rsspot.simulator.world import World
from support.conversation import INSTALLED, NAMESPACE, answer, comparable, digests, recorded, request, steps, subjects
from support.no_service import NoService


class Unguarded(Api):
    """An API server without the Spot service: no admission, no controllers, and every caller is allowed everything."""

    def __init__(self):
        world = World(clock=ManualClock(), organizations=[Tenant(NAMESPACE, NAMESPACE, "token")])
        world.objects.service = NoService()
        super().__init__(world)

    def _guarded(self, caller, target):
        return target


@pytest.fixture
def ask():
    """A function that sends a request and returns the answer in the form of the recordings."""
    api = Unguarded()
    bearer = api.world.identity.id_token(api.world.organizations[0])

    def send(method, target, headers, body):
        sent = Request.of(method, target, {**headers, "Authorization": f"Bearer {bearer}"}, body)
        response = api.handle(sent)
        streamed = b"" if response.stream is None else b"".join(response.stream)
        lower = {name.lower(): value for name, value in response.headers.items()}
        return answer(response.status, {**lower, "content-type": response.content_type}, response.body + streamed)

    yield send
    api.world.close()


@pytest.mark.parametrize("subject", subjects())
def test_every_answer_equals_that_of_a_real_server(ask, subject):
    """Statuses, bodies, messages, causes, warnings and managers are compared step by step."""
    answers = []
    for step in steps(subject):
        answers.append(ask(*request(step, answers)))
    ours, theirs = comparable(answers), comparable(recorded(subject))
    for number, (step, mine, real) in enumerate(zip(steps(subject), ours, theirs, strict=True)):
        context = f"{number}: {step['ask']}\n{json.dumps(step.get('body', step.get('text')))}"
        assert _compared(mine, step) == _compared(real, step), context


def test_the_current_definitions_were_installed_on_a_real_server():
    """They installed without a warning. After a change, run `make conversations` to install them again."""
    assert json.loads(INSTALLED.read_text()) == digests()


def _compared(answer, step):
    """The part of an answer to compare: all of it, or the part that the step selects."""
    if step.get("alike") == "refusal":
        body = answer["body"]
        return {"status": answer["status"], "reason": body.get("reason"), "code": body.get("code")}
    return {key: value for key, value in answer.items() if key not in step.get("except", ())}
