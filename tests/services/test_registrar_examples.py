"""The registrars of examples/registrars do what they say, as programs and as functions."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rsspot.services.registrations.questions import Terms
from rsspot.services.registrations.registrars.exec import ProgramRegistrar
from rsspot.services.registrations.registrars.protocol import Question, RegistrarFailed, RegistrarSilent
from rsspot.services.registrations.walk import register
from rsspot.simulator.clock import ManualClock
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Ledger
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus, worker_of_this_process
from support.omni_server import KEY, Omni, serving

REGISTRARS = Path(__file__).parents[2] / "examples" / "registrars"
MACHINE = RegistrationRecord("key", "u1", "org", "vms", "prod", vm_name="vm-1")


@pytest.fixture
def omni(monkeypatch: pytest.MonkeyPatch) -> Iterator[Omni]:
    """An endpoint, and the environment that names it."""
    with serving() as opened:
        monkeypatch.setenv("OMNI_ENDPOINT", opened.url)
        monkeypatch.setenv("OMNI_SERVICE_ACCOUNT_KEY", KEY)
        yield opened


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with one machine."""
    opened = open_ledger(tmp_path / "state.db")
    opened.discover(MACHINE)
    yield opened
    opened.close()


async def registered(ledger: Ledger, program: str) -> RegistrationRecord:
    """The machine, registered by one of the programs."""
    registrar = ProgramRegistrar([str(REGISTRARS / program)])
    terms = Terms(ledger, registrar, ManualClock(), worker_of_this_process(), lambda: None, timeout=10, find=True)
    terms = replace(terms, machine={"ipAddress": "10.0.0.1"})
    return await register("key", terms)


async def test_the_shell_script_answers_every_question(ledger: Ledger) -> None:
    """With a token that is named after the machine."""
    record = await registered(ledger, "register.sh")
    assert (record.status, record.token_id) == (RegistrationStatus.REGISTERED, "token-key")


async def test_a_machine_joins_omni(ledger: Ledger, omni: Omni) -> None:
    """By its token; with a ledger that was lost it is found again."""
    record = await registered(ledger, "omni.py")
    assert (record.status, record.token_id) == (RegistrationStatus.REGISTERED, "token-0")
    ledger.forget_registration("key")
    ledger.discover(MACHINE)
    assert (await registered(ledger, "omni.py")).status is RegistrationStatus.REGISTERED
    assert omni.joins == 1
    assert omni.machines["u1"]["address"] == "10.0.0.1"


async def test_an_answer_that_is_lost_joins_no_machine_twice(ledger: Ledger, omni: Omni) -> None:
    """Omni recognizes the question by its key."""
    omni.lost = 2
    record = await registered(ledger, "omni.py")
    assert record.status is RegistrationStatus.REGISTERED
    assert (len(omni.tokens), omni.joins) == (1, 1)
    outcomes = [str(each.outcome).partition(":")[0] for each in ledger.questions("key")]
    assert outcomes.count("unanswered") == 2


@pytest.mark.parametrize(("status", "silent"), [(503, True), (403, False), (302, False)])
async def test_what_omni_says_no_to_is_told_from_what_nobody_knows(omni: Omni, status: int, silent: bool) -> None:
    """And the key is in no message."""
    omni.down = status
    question = {"ask": "issue_token", "registrationKey": "key", "idempotencyKey": "k", "vm": {"uid": "u"}}
    with pytest.raises(RegistrarFailed) as caught:
        await ProgramRegistrar([str(REGISTRARS / "omni.py")]).ask(Question(question, "k", 20))
    assert isinstance(caught.value, RegistrarSilent) is silent
    assert KEY not in caught.value.message


def test_the_same_file_is_a_function(omni: Omni) -> None:
    """For a package that has it as an entry point."""
    spec = importlib.util.spec_from_file_location("our_omni", REGISTRARS / "omni.py")
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    question = {"vm": {"uid": "u", "name": "vm", "ipAddress": None}, "registrationKey": "key", "omniCluster": "prod"}
    token = module.answer({**question, "ask": "issue_token", "idempotencyKey": "a"})
    assert token == {"tokenId": "token-0", "tokenExpiresAt": "2999-01-01T00:00:00Z"}
    assert module.answer({**question, "ask": "submit", "idempotencyKey": "b", **token}) == {}
    assert module.answer({**question, "ask": "find"}) == {"registered": True}
