"""Choosing among server classes by their names, sizes and prices. Reads nothing and knows no auction."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from rsspot.services.pricing.schemas import Quote

_VIRTUAL = re.compile(r"\.vs(\d+)(?:[.-]|$)")
_MEMORY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(GB|TB)?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Wanted:
    """Which classes to keep. classes: first parts of their names, such as gp or mh; empty: all

    generation: of virtual servers; physical ones have none
    """

    classes: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    generation: int | None = None
    min_cpu: int | None = None
    max_cpu: int | None = None

    def __post_init__(self) -> None:
        for name in ("classes", "regions"):
            object.__setattr__(self, name, tuple(word.lower() for word in getattr(self, name)))


def chosen(quotes: Iterable[Quote], wanted: Wanted) -> list[Quote]:
    """The quotes of the wanted classes, in their order."""
    return [quote for quote in quotes if _fits(quote, wanted)]


def _fits(quote: Quote, wanted: Wanted) -> bool:
    cores, generation = cpu(quote), generation_of(quote.server_class)
    return (
        (not wanted.classes or family(quote.server_class) in wanted.classes)
        and (not wanted.regions or quote.region.lower() in wanted.regions)
        and wanted.generation in (None, generation)
        and (wanted.min_cpu is None or (cores is not None and cores >= wanted.min_cpu))
        and (wanted.max_cpu is None or (cores is not None and cores <= wanted.max_cpu))
    )


def family(server_class: str) -> str:
    """The first part of a class's name: `gp` for general purpose, `ch` for compute and `mh` for memory."""
    return server_class.lower().partition(".")[0]


def generation_of(server_class: str) -> int | None:
    """The generation of a virtual server's class: 2 for `gp.vs2.large-dfw`. None for a physical server."""
    found = _VIRTUAL.search(server_class.lower())
    return int(found[1]) if found else None


def cpu(quote: Quote) -> Decimal | None:
    """The number of cores of a server; None if the service does not say."""
    try:
        return Decimal((quote.cpu or "").strip())
    except InvalidOperation:
        return None


def memory(quote: Quote) -> Decimal | None:
    """The memory of a server in GB, which the service uses for GiB; None if it does not say."""
    found = _MEMORY.fullmatch(quote.memory or "")
    if found is None:
        return None
    return Decimal(found[1]) * (1024 if (found[2] or "").upper() == "TB" else 1)


def listed(texts: Sequence[str]) -> tuple[str, ...]:
    """The words of an option that may be repeated and whose values may be separated by commas."""
    words = [word.strip().lower() for text in texts for word in text.split(",")]
    return tuple(dict.fromkeys(filter(None, words)))
