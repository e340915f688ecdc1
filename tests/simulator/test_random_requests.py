"""Rules that hold for every request, checked on random ones. Exact answers are compared in test_conversations.py."""

import json

import pytest

from rsspot.simulator.apiserver.crds import shipped
from support.conversation import RECORDED_SEEDS, request
from support.random_requests import random_steps
from support.unguarded import Unguarded

SEEDS = range(max(RECORDED_SEEDS) + 1, 16)
FEWEST = 8
"""How many of a hundred requests succeed at least, and how many are refused at least."""


@pytest.fixture
def api():
    """An API server without the Spot service."""
    made = Unguarded()
    yield made
    made.world.close()


def stored(api):
    """Everything in the store, and its version."""
    texts = [text for kind in shipped() for _, text in api.world.store.texts(kind.plural, None, ("", ""), -1)]
    return api.world.store.version(), texts


def is_status(answer):
    """Whether the body is a failure Status with the code of the response."""
    body = answer["body"]
    return body["kind"] == "Status" and body["status"] == "Failure" and body["code"] == answer["status"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_refusal_is_a_status_and_changes_nothing(api, seed):
    """Versions only grow, a dry run and a read change nothing, and no request ends in a defect of the simulator."""
    answers = []
    for number, step in enumerate(random_steps(seed)):
        context = f"seed {seed}, {number}: {json.dumps(step)}"
        version, texts = stored(api)
        answer = api.ask(*request(step, answers))
        answers.append(answer)
        after, texts_after = stored(api)
        assert after >= version, context
        if answer["status"] >= 400:
            assert is_status(answer), context
            assert answer["body"].get("reason") != "InternalError" or "apiVersion" in answer["body"]["message"], context
        if answer["status"] >= 400 or step["ask"].startswith("GET") or "dryRun=All" in step["ask"]:
            assert (after, texts_after) == (version, texts), context
    refused = sum(answer["status"] >= 400 for answer in answers)
    assert FEWEST <= refused <= len(answers) - FEWEST


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_write_returns_is_what_is_read_afterwards(api, seed):
    answers = []
    for step in random_steps(seed):
        method, target, headers, body = request(step, answers)
        answer = api.ask(method, target, headers, body)
        answers.append(answer)
        if answer["status"] >= 300 or method not in ("POST", "PUT", "PATCH") or "dryRun=All" in target:
            continue
        metadata = answer["body"]["metadata"]
        if "deletionTimestamp" in metadata:
            # The write may have removed the last finalizer, and with it the object.
            continue
        path, name = target.partition("?")[0], metadata["name"]
        path = f"{path}/{name}" if method == "POST" else path
        assert api.ask("GET", path, {"Accept": "application/json"}, b"")["body"] == answer["body"], json.dumps(step)
