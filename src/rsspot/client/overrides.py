"""use_profile, use_org, use_region: settings overridden for a block of code, in the current task or thread only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from rsspot.settings import Setting

_choices: ContextVar[Mapping[str, Setting]] = ContextVar("choices", default={})  # noqa: B039 - never changed in place


def chosen() -> Mapping[str, Setting]:
    """The overrides in effect in the current context."""
    return _choices.get()


@contextmanager
def use_profile(name: str) -> Iterator[None]:
    """Use this profile for clients made or obtained inside the block, unless an argument overrides it."""
    with _choose("profile", name, "use_profile"):
        yield


@contextmanager
def use_org(name: str) -> Iterator[None]:
    """Use this organization, by name, id or namespace, for clients made or obtained inside the block."""
    with _choose("organization", name, "use_org"):
        yield


@contextmanager
def use_region(name: str) -> Iterator[None]:
    """Use this region for clients made or obtained inside the block: the default for new objects that name none."""
    with _choose("region", name, "use_region"):
        yield


@contextmanager
def _choose(setting: str, value: str, source: str) -> Iterator[None]:
    before = _choices.set({**_choices.get(), setting: Setting(value, source)})
    try:
        yield
    finally:
        _choices.reset(before)
