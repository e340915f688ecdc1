"""blocking(): the same operation for people without an event loop, with the same types.

Holds no operation of its own.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from rsspot.models.resource import Resource
from rsspot.services.collection import Collection

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", bound=Resource)


class Blocking:
    """The synchronous twin of a service."""

    def __init__(self, service: Any, portal: BlockingPortal, twin: str) -> None:
        self._service = service
        self._portal = portal
        self._twin = twin


class blocking(Generic[S, P, R]):  # noqa: N801 - reads as a keyword where it is used
    """`get = blocking(Collection[T].get)`: run the coroutine on the client's own loop and wait for it."""

    def __init__(self, method: Callable[Concatenate[S, P], Coroutine[Any, Any, R]]) -> None:
        self._method = method

    def __get__(self, twin: Blocking, owner: type | None = None) -> Callable[P, R]:
        method = self._method

        @functools.wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            refuse_in_loop(f"{twin._twin}.{method.__name__}")
            # Bound by name, so that a subclass's own version is the one that runs.
            bound = getattr(twin._service, method.__name__)
            return cast(R, twin._portal.call(functools.partial(bound, *args, **kwargs)))

        return call


def refuse_in_loop(twin: str) -> None:
    """Raise RuntimeError inside a running event loop, which a blocking call would freeze."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(f"a blocking call inside a running event loop: await client.{twin}() instead")


class BlockingCollection(Blocking, Generic[T]):
    """The verbs of every kind, synchronous."""

    list = blocking(Collection[T].list)
    get = blocking(Collection[T].get)
    create = blocking(Collection[T].create)
    patch = blocking(Collection[T].patch)
    delete = blocking(Collection[T].delete)
