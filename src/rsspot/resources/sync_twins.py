"""blocking(): the same operation for people without an event loop, with the same types.

Holds no operation of its own.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from rsspot.concurrency import drive, drive_each, running_loop
from rsspot.models.resource import Resource
from rsspot.resources.collection import Collection

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", bound=Resource)


class Blocking:
    """The synchronous twin of a service."""

    def __init__(self, service: Any, twin: str) -> None:
        self._service = service
        self._twin = twin


class blocking(Generic[S, P, R]):  # noqa: N801 - reads as a keyword where it is used
    """`get = blocking(Collection[T].get)`: run the coroutine in this thread, to its end."""

    def __init__(self, method: Callable[Concatenate[S, P], Coroutine[Any, Any, R]]) -> None:
        self._method = method

    def __get__(self, twin: Blocking, owner: type | None = None) -> Callable[P, R]:
        method = self._method

        @functools.wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            refuse_in_loop(f"await client.{twin._twin}.{method.__name__}()")
            # Bound by name, so that a subclass's own version is the one that runs.
            bound = getattr(twin._service, method.__name__)
            return cast(R, drive(bound(*args, **kwargs)))

        return call


class blocking_each(Generic[S, P, R]):  # noqa: N801 - reads as a keyword where it is used
    """The same for an operation that gives one thing after the other."""

    def __init__(self, method: Callable[Concatenate[S, P], AsyncIterator[R]]) -> None:
        self._method = method

    def __get__(self, twin: Blocking, owner: type | None = None) -> Callable[P, Iterator[R]]:
        method = self._method

        @functools.wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> Iterator[R]:
            refuse_in_loop(f"async for … in client.{twin._twin}.{method.__name__}()")
            return drive_each(getattr(twin._service, method.__name__)(*args, **kwargs))

        return call


def refuse_in_loop(instead: str) -> None:
    """Raise RuntimeError inside a running event loop, which a blocking call would freeze."""
    if running_loop() is not None:
        raise RuntimeError(f"a blocking call inside a running event loop: {instead} instead")


class BlockingCollection(Blocking, Generic[T]):
    """The verbs of every kind, synchronous."""

    list = blocking(Collection[T].list)
    get = blocking(Collection[T].get)
    create = blocking(Collection[T].create)
    patch = blocking(Collection[T].patch)
    delete = blocking(Collection[T].delete)
    wait = blocking(Collection[T].wait)
    wait_gone = blocking(Collection[T].wait_gone)
    watch = blocking_each(Collection[T].watch)
