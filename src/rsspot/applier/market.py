"""ServerMarket: what the class of servers tells about an object that is not ready. One read; decides nothing else."""

from __future__ import annotations

from typing import Any

from rsspot.applier.lookout import Lookout
from rsspot.errors import ApiError, TransportError
from rsspot.models.money import parse_price, price_text
from rsspot.planner.diff import SPEC
from rsspot.resources.kind import Kind, Phase, Readiness
from rsspot.utils.serialization import Document, at_path


class ServerMarket:
    """The classes that the objects of one kind may be of."""

    def __init__(self, kind: Kind[Any], kinds: dict[str, Kind[Any]], lookout: Lookout) -> None:
        self._kind, self._kinds, self._lookout = kind, kinds, lookout

    async def explain(self, live: Document, seen: Readiness) -> Readiness:
        """The same with the price that was too high for the bid, or with the word that nothing is free.

        What cannot be read adds nothing.
        """
        if seen.phase is Phase.OUTBID:
            return await self._with_price(live, seen)
        if seen.phase in (Phase.PROGRESSING, Phase.TIMEOUT):
            return await self._with_capacity(live, seen)
        return seen

    async def _with_price(self, live: Document, seen: Readiness) -> Readiness:
        for path, fact in self._kind.bids:
            price = at_path(await self._class(live, fact.of), fact.market)
            if price is not None:
                bid = at_path(live, (SPEC, *path))
                return Readiness(seen.phase, f"{seen.note} (bid {_shown(bid)}, market price {_shown(price)})")
        return seen

    async def _with_capacity(self, live: Document, seen: Readiness) -> Readiness:
        for _, servers in self._kind.server_counts:
            if at_path(await self._class(live, servers.of), servers.free) == 0:
                name = at_path(live, (SPEC, *servers.of))
                return Readiness(Phase.NO_CAPACITY, f"{seen.note}: no server of {name} is free")
        return seen

    async def _class(self, live: Document, path: tuple[str, ...]) -> Document | None:
        """The object that a field of the spec names; None if it cannot be read."""
        name, to = at_path(live, (SPEC, *path)), dict(self._kind.references).get(path)
        if not isinstance(name, str) or to is None:
            return None
        try:
            return await self._lookout.look(self._kinds[to.kind], name)
        except (ApiError, TransportError):
            return None


def _shown(price: object) -> str:
    """A price as people write it."""
    try:
        return price_text(parse_price(price))
    except ValueError:
        return str(price)
