"""blocking() and blocking_each(): make synchronous methods from async ones, with the same types.

Implements no operation itself.
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
    """The synchronous version of a service. twin: the client attribute that has the async one, for error messages."""

    def __init__(self, service: Any, twin: str) -> None:
        self._service = service
        self._twin = twin


class blocking(Generic[S, P, R]):  # noqa: N801 - reads as a keyword where it is used
    """`get = blocking(Collection[T].get)`: a method that runs the coroutine to its end in the calling thread."""

    def __init__(self, method: Callable[Concatenate[S, P], Coroutine[Any, Any, R]]) -> None:
        self._method = method

    def __get__(self, twin: Blocking, owner: type | None = None) -> Callable[P, R]:
        method = self._method

        @functools.wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            refuse_in_loop(f"await client.{twin._twin}.{method.__name__}()")
            # Looked up by name, so that an override in a subclass is called.
            bound = getattr(twin._service, method.__name__)
            return cast(R, drive(bound(*args, **kwargs)))

        return call


class blocking_each(Generic[S, P, R]):  # noqa: N801 - reads as a keyword where it is used
    """The same for an async generator: the method returns an iterator."""

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
    """Raise RuntimeError inside a running event loop, which a blocking call would block. instead: the call to use."""
    if running_loop() is not None:
        raise RuntimeError(f"cannot block inside a running event loop: use {instead} instead")


class BlockingCollection(Blocking, Generic[T]):
    """The synchronous version of Collection."""

    list = blocking(Collection[T].list)
    get = blocking(Collection[T].get)
    create = blocking(Collection[T].create)
    patch = blocking(Collection[T].patch)
    delete = blocking(Collection[T].delete)
    wait = blocking(Collection[T].wait)
    wait_gone = blocking(Collection[T].wait_gone)
    watch = blocking_each(Collection[T].watch)
