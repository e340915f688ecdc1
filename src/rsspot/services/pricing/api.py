"""Pricing as an SDK service: prices now from the server classes, and the public feeds. Changes nothing."""

from __future__ import annotations

import builtins
from urllib.parse import quote as escaped

from rsspot.errors import ApiError, NotFound, UsageError
from rsspot.http.transport import Call, SpotTransport
from rsspot.resources.documents import Documents
from rsspot.resources.sync_twins import Blocking, blocking
from rsspot.services.pricing import schemas
from rsspot.services.pricing.schemas import Comparison, Percentiles, PricePoint, Quote
from rsspot.utils.serialization import Document


class Pricing:
    """What servers cost. feeds: the way to the public price feeds, where no credential is ever sent."""

    def __init__(self, server_classes: Documents, feeds: SpotTransport) -> None:
        self._server_classes = server_classes
        self._feeds = feeds

    async def list(self, *, region: str | None = None) -> builtins.list[Quote]:
        """What each class costs now, the cheapest first. Source: GET serverclasses."""
        quotes = [schemas.quote(document) for document in await self._kept_list()]
        chosen = [each for each in quotes if region in (None, each.region)]
        return sorted(chosen, key=lambda each: (each.market is None, each.market or 0, each.server_class))

    async def get(self, server_class: str) -> Quote:
        """What one class costs now. Raises NotFound."""
        return schemas.quote(await self._server_classes.get(server_class))

    async def percentiles(self, *, region: str | None = None) -> builtins.list[Percentiles]:
        """How prices were spread over the last weeks. Source: the public feed percentiles.json."""
        found = schemas.percentiles(await self._feed("/percentiles.json"))
        return [each for each in found if region in (None, each.region)]

    async def history(self, server_class: str) -> builtins.list[PricePoint]:
        """What winners of a class paid, the oldest first. Source: the public feed history/CLASS. Raises NotFound."""
        if not server_class:
            raise UsageError("the history of which server class?")
        try:
            feed = await self._feed(f"/history/{escaped(server_class, safe='')}")
        except ApiError as error:
            # The store behind the feed answers 400, 403 or 404 for what it does not have.
            if error.status in (400, 403, 404):
                raise NotFound(f"no price history of {server_class!r}", status=404, reason="NotFound") from None
            raise
        return schemas.history(feed)

    async def comparable(self, *, region: str | None = None) -> builtins.list[Comparison]:
        """What the like costs in other clouds. Source: the public feed comparable_prices.json."""
        found = schemas.comparisons(await self._feed("/comparable_prices.json"))
        return [each for each in found if region in (None, each.region)]

    async def _kept_list(self) -> builtins.list[Document]:
        return await self._server_classes.kept_list()

    async def _feed(self, path: str) -> Document:
        return await self._feeds.send(Call("GET", path, fresh=False, private=False))


class BlockingPricing(Blocking):
    """The same, synchronous."""

    list = blocking(Pricing.list)
    get = blocking(Pricing.get)
    percentiles = blocking(Pricing.percentiles)
    history = blocking(Pricing.history)
    comparable = blocking(Pricing.comparable)
