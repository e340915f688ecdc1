"""Listing: what `list()` returns, a list that can also be read by the plural of what it holds. Requests nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


class Listing(list[T]):
    """A list of objects. `listing.items` is the same list, and so is its plural: `listing.organizations`.

    plural: in lower case without underscores, as in the API's paths; `server_classes` is the plural "serverclasses"
    """

    __slots__ = ("_plural",)

    def __init__(self, objects: Iterable[T], plural: str) -> None:
        super().__init__(objects)
        self._plural = plural

    @property
    def items(self) -> list[T]:
        return self

    def __getattr__(self, name: str) -> list[T]:
        # Without the first condition, copying and pickling would look for `_plural` before it is set, without end.
        if name.startswith("_") or name.replace("_", "") != self._plural:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self
