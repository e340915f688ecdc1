"""Whether a world keeps up with its clock, which otherwise waits, and what there is to say about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

WORTH_TELLING = 1.0
"""Seconds that a clock waits before it is told. Anybody may be busy for a moment."""
CALM = 10.0
"""Seconds without waiting after which a clock is told to keep time again."""


@dataclass
class _Spell:
    """A time in which the clock had to wait again and again. began: real and simulated time at its beginning"""

    began: tuple[float, float]
    waited: float = 0.0
    last: float = 0.0
    told: bool = False


class Pace:
    """Notes when the clock waits. elapsed: real seconds · time: those of the clock"""

    def __init__(self, elapsed: Callable[[], float], time: Callable[[], float]) -> None:
        self._elapsed, self._time = elapsed, time
        self._since: float | None = None
        self._spell: _Spell | None = None
        self.waited = 0.0
        """Real seconds that the clock has waited so far."""

    @property
    def is_behind(self) -> bool:
        """Whether the clock waits now."""
        return self._since is not None

    def note(self, finished: bool) -> None:
        """Note whether all that was due has been done."""
        now = self._elapsed()
        if self._since is not None:
            self._add(now - self._since, now)
        self._since = None if finished else now

    def _add(self, seconds: float, now: float) -> None:
        self.waited += seconds
        if self._spell is None:
            self._spell = _Spell((now - seconds, self._time()))
        self._spell.waited += seconds
        self._spell.last = now

    @property
    def scale(self) -> float | None:
        """How many times real time the world gets done, while it cannot keep up; None while it can."""
        spell = self._spell
        if spell is None or spell.waited < WORTH_TELLING:
            return None
        real, simulated = spell.began
        return (self._time() - simulated) / (self._elapsed() - real)

    def news(self) -> str:
        """What to tell about the clock now. Each beginning and each end is told once."""
        spell, scale = self._spell, self.scale
        if spell is None:
            return ""
        if self._since is None and self._elapsed() - spell.last >= CALM:
            self._spell = None
            return "the clock keeps time again" if spell.told else ""
        if scale is None or spell.told:
            return ""
        spell.told = True
        return f"the clock waits, because the world cannot keep up with it: it runs at {scale:,.0f} times real time"
