"""Pricing as an SDK service: current prices from the server classes, others from the public feeds. Read-only."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar
from urllib.parse import quote as escaped

from rsspot.concurrency import together
from rsspot.errors import ApiError, NotFound, RequestError, UsageError
from rsspot.http.call import Call
from rsspot.http.transport import SpotTransport
from rsspot.models.costs import Rates
from rsspot.resources.documents import Documents
from rsspot.resources.known import require_known
from rsspot.resources.listing import Listing
from rsspot.resources.sync_twins import Blocking, blocking
from rsspot.services.pricing import schemas
from rsspot.services.pricing.advice import Advice, advice, cheaper, equal_or_better, offers
from rsspot.services.pricing.rates import Past, rates_of
from rsspot.services.pricing.recommendation import FAMILIES, MARGINS, CostLimits, Scenario, scenarios
from rsspot.services.pricing.schemas import Comparison, Percentiles, PricePoint, Quote
from rsspot.services.pricing.selection import Wanted, chosen
from rsspot.utils.serialization import Document

R = TypeVar("R", Quote, Percentiles, Comparison)


@dataclass(frozen=True)
class Advised:
    """The bid for a class, the classes that would do for less, and the prices that both come from."""

    advice: Advice
    cheaper: tuple[Advice, ...]
    rates: Rates


class Pricing:
    """Server prices, in dollars per hour as Decimals. feeds: the public price feeds; no credential is sent there.

    With `region`, only rows of this region are returned. Raises UsageError if there is no such region.
    """

    def __init__(self, server_classes: Documents, regions: Documents, feeds: SpotTransport) -> None:
        self._regions = regions
        self._server_classes = server_classes
        self._feeds = feeds

    async def list(self, *, region: str | None = None) -> Listing[Quote]:
        """The current prices of each server class, lowest market price first; classes without one come last.

        region: only this region. Source: GET serverclasses, cached for 60 s by default.
        Raises ApiError, AuthError, TransportError, UnexpectedShape.
        """
        quotes = [schemas.quote(document) for document in await self._kept_list()]
        here = await self._within(region, quotes)
        cheapest_first = sorted(here, key=lambda quote: (quote.market is None, quote.market or 0, quote.server_class))
        return Listing(cheapest_first, "quotes")

    async def get(self, server_class: str) -> Quote:
        """The current prices of one server class. Source: GET of the server class, uncached. Raises NotFound."""
        return schemas.quote(await self._server_classes.find(server_class))

    async def build(
        self,
        *,
        nodes: int,
        wanted: Wanted | None = None,
        risk: str = "med",
        balanced: bool = False,
        limits: CostLimits | None = None,
    ) -> builtins.list[Scenario]:
        """Ways to get this many nodes: the biggest servers, the best value, and a mix. Source: as `list`.

        wanted: the classes to choose from, by default general purpose, compute and memory · risk: low, med or high:
        how near to the market price the suggested bids are · balanced: spread the mix over several pools ·
        limits: leave out what would cost more or less.
        Raises UsageError for an unknown risk or region; ApiError, AuthError, TransportError, UnexpectedShape.
        """
        if risk not in MARGINS:
            raise UsageError(f"unknown risk {risk!r}", hint=f"use one of: {', '.join(MARGINS)}")
        if nodes < 1:
            raise UsageError(f"nodes must be at least 1, not {nodes}")
        wanted = wanted or Wanted()
        for region in wanted.regions:
            await require_known(self._regions, region)
        quotes = chosen(await self.list(), wanted if wanted.classes else replace(wanted, classes=FAMILIES))
        return scenarios(quotes, nodes=nodes, risk=risk, balanced=balanced, limits=limits or CostLimits())

    async def percentiles(self, *, region: str | None = None) -> builtins.list[Percentiles]:
        """Price percentiles of each server class over the last weeks, sorted by region and class.

        region: only this region. Source: the public feed percentiles.json, cached for 5 minutes by default.
        Raises ApiError, TransportError.
        """
        rows = schemas.percentiles(await self._feed("/percentiles.json"))
        return await self._within(region, rows)

    async def rates(
        self,
        server_classes: Iterable[str],
        documents: Iterable[Document] | None = None,
        *,
        patience: float | None = None,
    ) -> Rates:
        """The prices that costs are worked out from; past ones of these classes only. What cannot be read is unknown.

        documents: all server classes, if they were read already · patience: the longest wait for the past prices of a
        class, in seconds. Sources: as `list` and `history`, at the same time. Raises AuthError.
        """
        names = sorted({*server_classes})
        past = await together(self._past(name, patience) for name in names)
        by_name = dict(zip(names, past, strict=True))
        try:
            return rates_of(await self._server_classes.list() if documents is None else documents, by_name)
        except RequestError as error:
            return rates_of((), by_name, unread=error.message)

    async def advise(
        self, server_classes: Iterable[str], *, risk: Decimal, nearby: bool = False, patience: float | None = None
    ) -> dict[str, Advised]:
        """The lowest valid bid for each of these classes, and cheaper ones that are at least as big.

        risk: the share of the last four weeks' hours that a bid may lose, such as Decimal("0.01") · nearby: look at
        other regions of the same country too · patience: as of `rates`. Sources: as `list` and `history`.
        Raises UsageError for an unknown class; ApiError, AuthError, TransportError.
        """
        documents = await self._server_classes.kept_list()
        every = offers(documents, await self._regions.kept_list() if nearby else ())
        names = sorted({*server_classes})
        for name in names:
            await require_known(self._server_classes, name)
        others = {name: [each.name for each in equal_or_better(every[name], every.values())] for name in names}
        wanted = {*names, *(each for found in others.values() for each in found)}
        rates = await self.rates(wanted, documents, patience=patience)
        advised = {name: advice(every[name].quote, rates.of(name), risk) for name in wanted}
        return {
            name: Advised(advised[name], cheaper(advised[name], (advised[each] for each in others[name])), rates)
            for name in names
        }

    async def _past(self, server_class: str, patience: float | None) -> Past:
        try:
            return await self._recorded(server_class, patience)
        except RequestError as error:
            return error.message

    async def history(self, server_class: str) -> builtins.list[PricePoint]:
        """What winners of each auction of a server class paid, oldest first.

        Source: the public feed history/CLASS, cached for 5 minutes by default.
        Raises NotFound if there is no history of the class; UsageError for an empty name; ApiError, TransportError.
        """
        if not server_class:
            raise UsageError("the server class is empty", hint="pass the name of a server class")
        return await self._recorded(server_class)

    async def _recorded(self, server_class: str, patience: float | None = None) -> builtins.list[PricePoint]:
        try:
            feed = await self._feed(f"/history/{escaped(server_class, safe='')}", patience)
        except ApiError as error:
            # The feed's object store returns 400, 403 or 404 for a missing file.
            if error.status in (400, 403, 404):
                raise NotFound(f"no price history of {server_class!r}", status=404, reason="NotFound") from None
            raise
        return schemas.history(feed)

    async def comparable(self, *, region: str | None = None) -> builtins.list[Comparison]:
        """Prices of comparable servers in other clouds, sorted by region and server class.

        region: only this region. Source: the public feed comparable_prices.json, cached for an hour by default.
        Raises ApiError, TransportError.
        """
        rows = schemas.comparisons(await self._feed("/comparable_prices.json"))
        return await self._within(region, rows)

    async def _within(self, region: str | None, rows: builtins.list[R]) -> builtins.list[R]:
        """The rows of a region. That it exists is asked only if it has none."""
        if region is None:
            return rows
        chosen = [row for row in rows if row.region == region]
        if not chosen:
            await require_known(self._regions, region)
        return chosen

    async def _kept_list(self) -> builtins.list[Document]:
        return await self._server_classes.kept_list()

    async def _feed(self, path: str, patience: float | None = None) -> Document:
        return await self._feeds.send(Call("GET", path, fresh=False, private=False, patience=patience))


class BlockingPricing(Blocking):
    """The synchronous version of Pricing."""

    list = blocking(Pricing.list)
    get = blocking(Pricing.get)
    build = blocking(Pricing.build)
    percentiles = blocking(Pricing.percentiles)
    rates = blocking(Pricing.rates)
    advise = blocking(Pricing.advise)
    history = blocking(Pricing.history)
    comparable = blocking(Pricing.comparable)
