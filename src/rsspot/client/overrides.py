"""use_profile, use_org, use_region: choices that hold for a block of code, in this task or thread and no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from rsspot.settings import Setting

_choices: ContextVar[Mapping[str, Setting]] = ContextVar("choices", default={})  # noqa: B039 - never changed in place


def chosen() -> Mapping[str, Setting]:
    """What is chosen here and now."""
    return _choices.get()


@contextmanager
def use_profile(name: str) -> Iterator[None]:
    """Clients that are made or got inside the block are of this profile, unless they are told otherwise."""
    with _choose("profile", name, "use_profile"):
        yield


@contextmanager
def use_org(name: str) -> Iterator[None]:
    """Clients that are made or got inside the block are for this organization: name, id or namespace."""
    with _choose("organization", name, "use_org"):
        yield


@contextmanager
def use_region(name: str) -> Iterator[None]:
    """Clients that are made or got inside the block make new things in this region, unless these say where."""
    with _choose("region", name, "use_region"):
        yield


@contextmanager
def _choose(setting: str, value: str, source: str) -> Iterator[None]:
    before = _choices.set({**_choices.get(), setting: Setting(value, source)})
    try:
        yield
    finally:
        _choices.reset(before)
