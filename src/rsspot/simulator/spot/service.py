"""Hooks of the Spot service into the API server: what it adds, refuses and does when objects change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.store import Object
from rsspot.simulator.spot import admission, controllers

if TYPE_CHECKING:
    from rsspot.simulator.spot.protocol import SpotWorld


class Spot:
    """The service of a world, called by its API server."""

    def __init__(self, world: SpotWorld) -> None:
        self._world = world

    def fill_in(self, definition: Definition, body: Object) -> None:
        world = self._world
        admission.fill_in(world.definitions, world.store, world.rules, definition.plural, body)

    def admit(self, definition: Definition, body: Object, old: Object | None) -> None:
        organization = self._world.organization_of(body)
        if old is None and organization is not None and not organization.billing:
            raise admission.denied(definition, body, f"billing is not enabled for organization {organization.name}")
        admission.admit(definition, self._world.store, self._world.rules, body, old)

    def created(self, definition: Definition, body: Object) -> None:
        controllers.on_created(self._world, definition.plural, body)

    def written(self, definition: Definition, body: Object) -> None:
        controllers.on_written(self._world, definition.plural, body)

    def doomed(self, definition: Definition, body: Object) -> None:
        controllers.on_doomed(self._world, definition.plural, body)
