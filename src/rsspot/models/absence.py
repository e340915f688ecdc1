"""Absence: what reads say about something that a list does not have any more. One read proves nothing."""

from __future__ import annotations

from enum import StrEnum


class Absence(StrEnum):
    """What earlier reads say about the origin of an object, such as the machine of a registration."""

    NONE = "none"
    """The last read found it."""
    BRIEF = "brief"
    """A read missed it a moment ago."""
    LONG = "long"
    """A read missed it so long ago that one more, by now, shows it to be gone."""
    GONE = "gone"
    """Two reads apart missed it. If there is one of this identity again, it is a new one."""
