"""Wakes those who wait for changes of certain objects, and nobody else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Condition, RLock

Topic = tuple[str, str | None, str | None]
"""Plural, namespace and name; None for every namespace or name."""


class Bell:
    """What those wait for who are interested in one topic. turn: the number of changes of its objects so far"""

    def __init__(self, lock: RLock) -> None:
        self._rung = Condition(lock)
        self.turn = 0
        self.listeners = 0

    def ring(self) -> None:
        """Note a change, and wake everybody. The caller holds the lock."""
        self.turn += 1
        self._rung.notify_all()

    def wait(self, turn: int, seconds: float) -> None:
        """Wait until something changes after `turn`, for `seconds` at most."""
        with self._rung:
            self._rung.wait_for(lambda: self.turn != turn, seconds)


class Topics:
    """The bells of all topics that anybody listens to."""

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._bells: dict[Topic, Bell] = {}

    @contextmanager
    def listening(self, topic: Topic) -> Iterator[Bell]:
        """The bell of a topic, for as long as somebody listens."""
        with self._lock:
            bell = self._bells.setdefault(topic, Bell(self._lock))
            bell.listeners += 1
        try:
            yield bell
        finally:
            with self._lock:
                bell.listeners -= 1
                if not bell.listeners:
                    del self._bells[topic]

    def tell(self, touched: Iterable[tuple[str, str, str]]) -> None:
        """Ring the bells of the topics of objects, given as plural, namespace and name."""
        if not self._bells:
            return
        topics = {
            (plural, where, which)
            for plural, namespace, name in touched
            for where in (namespace, None)
            for which in (name, None)
        }
        with self._lock:
            for topic in topics & self._bells.keys():
                self._bells[topic].ring()
