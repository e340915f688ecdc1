"""A service that does nothing, for tests of the simulated API server alone."""

from __future__ import annotations

from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.store import Object


class NoService:
    """Sets no fields, allows everything and reacts to nothing."""

    def fill_in(self, definition: Definition, body: Object) -> None: ...

    def admit(self, definition: Definition, body: Object, old: Object | None) -> None: ...

    def created(self, definition: Definition, body: Object) -> None: ...

    def written(self, definition: Definition, body: Object) -> None: ...

    def doomed(self, definition: Definition, body: Object) -> None: ...
