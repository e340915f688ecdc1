"""A registrar that is a Python function: how it is found, called and given up."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from rsspot.services.registrations.registrars.entry_point import FunctionRegistrar
from rsspot.services.registrations.registrars.protocol import Question, RegistrarFailed, RegistrarSilent
from rsspot.utils.serialization import Document

HERE = __name__
NUMBER = 5
let_go = threading.Event()


def plain(message: Document) -> Document:
    """Answers with what it was asked, and where it was called."""
    return {**message, "thread": threading.current_thread().name}


async def coroutine(message: Document) -> Document:
    """The same as a coroutine."""
    await asyncio.sleep(0)
    return plain(message)


def fails(_: Document) -> Document:
    """Raises what it was given in the environment."""
    raise ValueError("the password is canary-492817-value")


def exits(_: Document) -> Document:
    """Tries to end the process."""
    raise SystemExit(3)


def returns_text(_: Document) -> Any:
    """Returns something else than a dict."""
    return "text"


def blocks(_: Document) -> Document:
    """Blocks until the test lets it go."""
    let_go.wait(60)
    return {}


async def hangs(_: Document) -> Document:
    """Waits for ever, as a coroutine."""
    await asyncio.Event().wait()
    return {}


async def ask(name: str, timeout: float = 20) -> Document:
    """What a function of this file answers."""
    return await FunctionRegistrar(f"{HERE}:{name}").ask(Question({"ask": "submit"}, "key", timeout))


async def test_a_function_is_called_in_a_thread_and_a_coroutine_in_the_loop() -> None:
    """So neither holds the others up."""
    assert await ask("plain") == {"ask": "submit", "thread": "registrar"}
    assert await ask("coroutine") == {"ask": "submit", "thread": threading.current_thread().name}


async def test_an_exception_is_a_failure_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment, which it may quote."""
    monkeypatch.setenv("HOOK", "canary-492817-value")
    with pytest.raises(RegistrarFailed, match="raised ValueError: the password is") as caught:
        await ask("fails")
    assert "canary" not in caught.value.message
    assert not isinstance(caught.value, RegistrarSilent)


async def test_a_function_cannot_end_the_process() -> None:
    """It is a failure like any other."""
    with pytest.raises(RegistrarFailed, match="raised SystemExit: 3"):
        await ask("exits")


async def test_what_is_no_dict_is_no_answer() -> None:
    """What it did is not known."""
    with pytest.raises(RegistrarSilent, match="did not return a dict"):
        await ask("returns_text")


@pytest.mark.parametrize("name", ["blocks", "hangs"])
async def test_a_function_has_its_timeout(name: str) -> None:
    """A thread that cannot be ended is not asked again before it returns."""
    let_go.clear()
    function, question = FunctionRegistrar(f"{HERE}:{name}"), Question({"ask": "submit"}, "key", 0.05)
    with pytest.raises(RegistrarSilent, match="did not answer"):
        await function.ask(question)
    again = "is still at an earlier question" if name == "blocks" else "did not answer"
    with pytest.raises(RegistrarSilent, match=again):
        await function.ask(question)
    let_go.set()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nowhere.at.all:function", "cannot load the registrar"),
        (f"{HERE}:missing", "cannot load the registrar"),
        (f"{HERE}:NUMBER", "is not a function"),
        ("unheard-of", "no installed package has an entry point 'unheard-of'"),
    ],
)
async def test_what_cannot_be_called_is_a_failure(name: str, why: str) -> None:
    """With the reason."""
    with pytest.raises(RegistrarFailed, match=why):
        await FunctionRegistrar(name).ask(Question({}, "key", 20))


async def test_an_installed_package_announces_a_registrar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a name in the group `rsspot.registrars`."""
    described = tmp_path / "omni_registrar-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: omni-registrar\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(f"[rsspot.registrars]\nomni = {HERE}:plain\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert (await FunctionRegistrar("omni").ask(Question({"ask": "find"}, "key", 20)))["ask"] == "find"
