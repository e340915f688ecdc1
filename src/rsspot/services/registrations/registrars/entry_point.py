"""FunctionRegistrar: a registrar that is a Python function of an installed package. A JSON object in, a dict out.

A coroutine function runs in the event loop and is cancelled when it takes too long. A plain one runs in a thread, which
nothing can end: it is left behind, and the next question is not put to it before it has returned.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from importlib import metadata
from typing import Any

from rsspot.services.registrations.registrars.complaints import complaint
from rsspot.services.registrations.registrars.protocol import (
    Question,
    RegistrarFailed,
    RegistrarSilent,
    no_answer_in,
)
from rsspot.utils.serialization import Document

GROUP = "rsspot.registrars"
"""The entry point group that packages announce registrars in."""
FAILURES = (Exception, SystemExit)
"""What a function may raise; it cannot end the process."""


class FunctionRegistrar:
    """A registrar that is a Python function."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._left_behind: asyncio.Future[Any] | None = None

    async def ask(self, question: Question) -> Document:
        """See `RegistrarClient`."""
        function = _loaded(self._name)
        if self._left_behind is not None and not self._left_behind.done():
            raise RegistrarSilent(f"the registrar {self._name} is still at an earlier question")
        message = dict(question.message)
        try:
            async with asyncio.timeout(question.timeout):
                answer = await self._called(function, message)
        except TimeoutError:
            raise no_answer_in(self._name, question.timeout) from None
        except FAILURES as error:
            said = complaint(str(error))
            raise RegistrarFailed(f"the registrar {self._name} raised {type(error).__name__}: {said}") from None
        if not isinstance(answer, dict):
            raise RegistrarSilent(f"the registrar {self._name} did not return a dict")
        return answer

    async def _called(self, function: Callable[[Document], Any], message: Document) -> Any:
        if inspect.iscoroutinefunction(function):
            return await function(message)
        self._left_behind = _in_thread(function, message)
        return await asyncio.shield(self._left_behind)


def _in_thread(function: Callable[[Document], Any], message: Document) -> asyncio.Future[Any]:
    """The result of a function that a thread of its own calls. The process does not wait for it when it ends."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[Any] = loop.create_future()
    # If nobody waits any more, nobody wants to hear of its exception either.
    result.add_done_callback(lambda done: done.cancelled() or done.exception())

    def call() -> None:
        try:
            settle, value = result.set_result, function(message)
        except FAILURES as error:
            settle, value = result.set_exception, error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, value)

    threading.Thread(target=call, name="registrar", daemon=True).start()
    return result


def _loaded(name: str) -> Callable[[Document], Any]:
    """The function of `package.module:function`, or of an entry point. Raises RegistrarFailed."""
    written_out = ":" in name
    found = (
        [metadata.EntryPoint(name, name, GROUP)] if written_out else [*metadata.entry_points(group=GROUP, name=name)]
    )
    if not found:
        raise RegistrarFailed(f"no installed package has an entry point {name!r} in {GROUP}")
    try:
        function = found[0].load()
    except Exception as error:
        raise RegistrarFailed(f"cannot load the registrar {name}: {error}") from None
    if not callable(function):
        raise RegistrarFailed(f"the registrar {name} is not a function")
    loaded: Callable[[Document], Any] = function
    return loaded
