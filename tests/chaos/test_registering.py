"""Machines are registered once by the registrar's own count, whatever it does and however many workers ask it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from rsspot.services.registrations.registrars.entry_point import FunctionRegistrar
from rsspot.simulator.clock import ManualClock
from rsspot.state.ledger.protocol import Ledger
from rsspot.state.ledger.registrations import RegistrationStatus
from rsspot.workflows.machines import asked_how_often
from support import ledger_places
from support.amount import FULL
from support.registering_worker import machine, register_all
from support.scripted_registrar import SERVICES, Service

WORKERS = 4
FEW, MANY = 40, 500
QUESTIONS = ("issue_token", "submit", "confirm")
FLOODS = 6
"""How often the registrar prints 50 MB: more would only heat the machine."""
TESTS = Path(__file__).parents[1]
REGISTRAR = """#!/bin/sh
# Honors idempotency keys, counts what it does, and behaves as a file says for each attempt.
question=$(cat)
field() { printf '%s' "$question" | sed -n "s/.*\\"$1\\": *\\"\\{0,1\\}\\([^\\",}]*\\).*/\\1/p"; }
ask=$(field ask); machine=$(field registrationKey)
echo "$(field attempt)" >> "STATE/asked/$machine.$ask"
behavior=$(sed -n "$(field attempt)p" "STATE/behavior/$machine.$ask")
case $behavior in
    fail) echo 'not today' >&2; exit 1 ;;
    hang) exec sleep 600 ;;
    die) kill -9 $$ ;;
    flood) exec head -c 50000000 /dev/zero ;;
esac
if [ "$ask" = submit ] && mkdir "STATE/keys/$(field idempotencyKey)" 2> /dev/null; then
    echo joined >> "STATE/joined/$machine"
fi
[ "$behavior" = lose ] && kill -9 $$
echo '{"tokenId": "t1", "tokenExpiresAt": "2999-01-01T00:00:00Z"}'
"""


def behaviors(chance: random.Random, count: int) -> list[str]:
    """What a registrar does in its first attempts at a question: mostly it answers."""
    kinds = ("fail", "hang", "lose", "die", "answer")
    return chance.choices(kinds, weights=(20, 2, 2, 2, 74), k=count)


def is_complete(ledger: Ledger, count: int, asked: dict[tuple[str, str], int]) -> None:
    """Every machine is registered, and each question that the registrar was asked is on record with its outcome."""
    records = ledger.registrations()
    assert [each.status for each in records] == [RegistrationStatus.REGISTERED] * count
    for each in records:
        questions = ledger.questions(each.registration_key)
        assert all(question.outcome for question in questions)
        on_record = asked_how_often(questions)
        assert on_record == {question: asked[each.registration_key, question] for question in on_record}
        assert [question.outcome for question in questions[-1:]] == ["answered"]
        submits = {question.idempotency_key for question in questions if question.question == "submit"}
        assert len(submits) == 1


async def test_workers_in_one_process_register_each_machine_once(tmp_path: Path) -> None:
    """With a ledger each of one file, by a function that fails, hangs and loses answers."""
    chance = random.Random(7)
    plan = {(machine(each).vm_name, question): behaviors(chance, 4) for each in range(FEW) for question in QUESTIONS}

    def misbehave(name: str, question: str, times: int) -> str:
        return [*plan[name, question], *["answer"] * times][times - 1]

    SERVICES["omni"] = service = Service(misbehave)
    with ExitStack() as opened:
        ledger_places.put_back(tmp_path)
        ledgers = [opened.enter_context(closing(ledger_places.opened(tmp_path))) for _ in range(WORKERS)]
        named = "support.scripted_registrar:service"
        await asyncio.gather(
            *(register_all(each, lambda: FunctionRegistrar(named), FEW, ManualClock(), 0.1) for each in ledgers)
        )
        asked = {(key, name): times for key, names in service.asked.items() for name, times in names.items()}
        is_complete(ledgers[0], FEW, asked)
    assert service.joined == Counter(machine(each).registration_key for each in range(FEW))


@pytest.mark.skipif(not FULL, reason="`make chaos` starts thousands of processes")
@pytest.mark.timeout(600)
def test_processes_register_each_machine_once(tmp_path: Path) -> None:
    """By a program that also dies and prints without end; a worker that is killed has a successor."""
    chance = random.Random(11)
    for folder in ("asked", "behavior", "keys", "joined"):
        (tmp_path / folder).mkdir()
    for number in range(MANY):
        for question in QUESTIONS:
            lines = behaviors(chance, 6)
            (tmp_path / "behavior" / f"{machine(number).registration_key}.{question}").write_text("\n".join(lines))
    for number in range(FLOODS):
        (tmp_path / "behavior" / f"{machine(number * 80).registration_key}.submit").write_text("flood\nflood\n")
    program = tmp_path / "registrar.sh"
    program.write_text(REGISTRAR.replace("STATE", str(tmp_path)))
    program.chmod(0o755)
    ledger_places.put_back(tmp_path)
    began = time.monotonic()
    workers = [started(tmp_path, program) for _ in range(WORKERS)]
    while len([*(tmp_path / "joined").iterdir()]) < MANY // 3:
        time.sleep(0.05)
    workers[0].send_signal(signal.SIGKILL)
    workers.append(started(tmp_path, program))
    assert [worker.wait(550) for worker in workers] == [-signal.SIGKILL, *[0] * WORKERS]
    joined = Counter({file.name: len(file.read_text().splitlines()) for file in (tmp_path / "joined").iterdir()})
    asked = {
        (file.name.rpartition(".")[0], file.suffix[1:]): max(map(int, file.read_text().split()))
        for file in (tmp_path / "asked").iterdir()
    }
    assert joined == Counter(machine(each).registration_key for each in range(MANY))
    with closing(ledger_places.opened(tmp_path)) as ledger:
        is_complete(ledger, MANY, asked)
        outcomes = Counter(
            str(each.outcome).partition(":")[0]
            for number in range(MANY)
            for each in ledger.questions(machine(number).registration_key)
        )
    print(f"\n{MANY} machines in {time.monotonic() - began:.0f} s: {dict(outcomes)}, joined {sum(joined.values())}")


def started(folder: Path, program: Path) -> subprocess.Popen[bytes]:
    """A worker on its way."""
    line = [sys.executable, "-m", "support.registering_worker", ledger_places.url_of(folder), str(program), str(MANY)]
    return subprocess.Popen(line, env={**os.environ, "PYTHONPATH": str(TESTS)})
