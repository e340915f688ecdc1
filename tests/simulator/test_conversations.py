"""The simulator answers like a real API server: recorded conversations are replayed and compared."""

import json

import pytest

from support.conversation import INSTALLED, comparable, digests, recorded, request, steps, subjects
from support.unguarded import Unguarded


@pytest.fixture
def ask():
    """A function that sends a request and returns the answer in the form of the recordings."""
    api = Unguarded()
    yield api.ask
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
    body = answer["body"]
    if step.get("alike") == "refusal" and isinstance(body, dict) and body.get("kind") == "Status":
        return {"status": answer["status"], "reason": body.get("reason"), "code": body.get("code")}
    return {key: value for key, value in answer.items() if key not in step.get("except", ())}
