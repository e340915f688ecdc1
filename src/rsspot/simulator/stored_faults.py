"""Faults of a world that outlive its process: kept in the world's own store, where other processes find them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from typing import Any

from rsspot.simulator.apiserver.messages import Request
from rsspot.simulator.apiserver.store import Store
from rsspot.simulator.faults import Fault, Faults

_FACT = "faults"


class StoredFaults(Faults):
    """The scripted faults in a store. lock: guards the store; not held by the caller"""

    def __init__(self, store: Store, lock: AbstractContextManager[object], seed: int = 1) -> None:
        super().__init__(seed=seed)
        self._store, self._lock = store, lock
        self._load()

    def add(self, what: str, method: str = ".*", path: str = ".*", **rest: Any) -> None:
        with self._updating():
            super().add(what, method, path, **rest)

    def say(self, words: str) -> None:
        with self._updating():
            super().say(words)

    def clear(self) -> None:
        with self._updating():
            super().clear()

    def hit(self, request: Request) -> list[Fault]:
        """The faults that hit a request. What is left of them is stored at once, so that a crash repeats none."""
        with self._lock:
            if not self._store.fact(_FACT, ""):
                self.script.clear()
                return []
        with self._updating():
            return super().hit(request)

    @contextmanager
    def _updating(self) -> Iterator[None]:
        """Change the faults as they are in the store, whichever process changed them last."""
        with self._lock, self._store.transaction():
            self._load()
            yield
            if self.script:
                self._store.set_fact(
                    _FACT, json.dumps({"drawn": self._drawn, "script": list(map(asdict, self.script))})
                )
            else:
                self._store.remove_fact(_FACT)

    def _load(self) -> None:
        kept = json.loads(self._store.fact(_FACT, "{}"))
        self._drawn = kept.get("drawn", 0)
        script = kept.get("script", [])
        self.script[:] = [Fault(**{**each, "seconds": tuple(each["seconds"])}) for each in script]
