"""A first folder of manifests: which regions and classes there are to choose from, and the files. Asks nobody."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from string import Template

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import UsageError
from rsspot.manifests.files import SCHEMA_FILE, SCHEMA_HEADER
from rsspot.manifests.schema import schema_text
from rsspot.models.bids import objection, suggestion
from rsspot.models.money import parse_price, price_text
from rsspot.models.refs import DNS_LABEL
from rsspot.services.cloudspaces.versions import KNOWN
from rsspot.services.nodepools.schemas import MOST_SERVERS
from rsspot.services.regions.schemas import Region
from rsspot.services.server_classes.schemas import ServerClass
from rsspot.utils.text import did_you_mean

DEFAULT_NAME = "demo"
STACK_FILE, CLUSTER_FILE = "stack.yaml", "cluster.yaml"
FILES = (STACK_FILE, CLUSTER_FILE, SCHEMA_FILE)
_HEADER = SCHEMA_HEADER.replace("$", "$$")
_STACK = Template(
    _HEADER
    + """\
# Whose manifests these are. One Stack to a run; everything the run makes is labeled with its name.
apiVersion: rsspot.dev/v1
kind: Stack
metadata:
  name: $stack
spec:
  variables:
    region: $region
"""
)
_CLUSTER = Template(
    _HEADER
    + """\
# A Kubernetes cluster, and workers won at auction.
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata:
  name: $name
spec:
  region: $${var:region}
  kubernetesVersion: $version
---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata:
  name: workers
spec:
  cloudSpace: $name
  serverClass: $server_class
  desired: $desired
  bidPrice: $bid
"""
)


@dataclass(frozen=True)
class Candidate:
    """A server class that new pools can bid on. Prices in dollars an hour.

    price: what the market asks for one server now · bid: a suggestion
    """

    name: str
    region: str
    cpu: str | None
    memory: str | None
    minimum: Decimal
    market: Decimal | None
    price: Decimal
    bid: Decimal


@dataclass(frozen=True)
class Market:
    """What there is to choose from: the regions by name, and the classes, cheapest first."""

    regions: dict[str, Region]
    candidates: tuple[Candidate, ...]

    def in_region(self, region: str) -> list[Candidate]:
        """The classes of a region, cheapest first."""
        return [each for each in self.candidates if each.region == region]

    @property
    def open_regions(self) -> list[str]:
        """The regions with a class to bid on, the one with the cheapest first."""
        return list(dict.fromkeys(each.region for each in self.candidates if each.region in self.regions))

    def region(self, name: str) -> str:
        """The region of this name. Raises UsageError for one that there is not, or where nothing can be bid on."""
        if name in self.open_regions:
            return name
        if name in self.regions:
            raise UsageError(f"no server class of {name} takes bids now", hint="choose another region")
        hint = did_you_mean(name, self.open_regions) or f"regions: {', '.join(self.open_regions)}"
        raise UsageError(f"no region {name!r}", hint=hint)

    def candidate(self, name: str, region: str | None) -> Candidate:
        """The class of this name, in a region if one is given. Raises UsageError if it cannot be bid on."""
        known = {each.name: each for each in self.candidates if region in (None, each.region)}
        if name not in known:
            where = f" in {region}" if region else ""
            hint = did_you_mean(name, known) or "see `rsspot serverclasses list`"
            raise UsageError(f"no server class {name!r} that takes bids{where}", hint=hint)
        return known[name]


@dataclass(frozen=True)
class FirstStack:
    """What the author decided."""

    stack: str
    name: str
    region: str
    server_class: str
    bid: Decimal
    desired: int


async def read_market(client: AsyncSpotClient) -> Market:
    """The regions and the classes with their prices. A recently cached response is good enough."""
    regions, classes = await asyncio.gather(client.regions.list(), client.server_classes.list())
    return Market({region.name: region for region in regions}, candidates_of(classes))


def candidates_of(classes: Iterable[ServerClass]) -> tuple[Candidate, ...]:
    """The classes that new pools can bid on, cheapest first."""
    candidates = [
        Candidate(
            name=each.name,
            region=each.spec.region,
            cpu=each.spec.resources.cpu,
            memory=each.spec.resources.memory,
            minimum=each.minimum,
            market=each.market,
            price=max(each.minimum, each.market or each.minimum),
            bid=suggestion(each.minimum, each.market),
        )
        for each in classes
        if each.minimum is not None and each.spec.availability == "available"
    ]
    return tuple(sorted(candidates, key=lambda each: (each.price, each.name)))


def usable_name(text: str) -> str:
    """A name for a cloudspace or a stack. Raises UsageError for a text that cannot be one."""
    if not DNS_LABEL.fullmatch(text):
        raise UsageError(f"{text!r} is not a name", hint="use at most 63 lowercase letters, digits and dashes")
    return text


def name_from(folder: Path) -> str:
    """A name from that of the folder, if one can be made of it."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower())[:63].strip("-")
    return name or DEFAULT_NAME


def usable_count(text: str) -> int:
    """A number of servers. Raises UsageError for a text that is none."""
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST_SERVERS):
        raise UsageError(f"{text!r} is not a number of servers", hint=f"use a number from 1 to {MOST_SERVERS}")
    return int(text)


def usable_bid(text: str, candidate: Candidate) -> Decimal:
    """A bid that the service takes for this class now. Raises UsageError that names the next one that it would."""
    try:
        bid: Decimal = parse_price(text)
    except ValueError as error:
        raise UsageError(f"the bid {error}") from None
    if message := objection(bid, candidate.minimum, candidate.market):
        raise UsageError(message, hint=f"the class is {candidate.name}")
    return bid


def files_of(chosen: FirstStack) -> dict[str, str]:
    """File name -> text."""
    values = {
        "stack": chosen.stack,
        "name": chosen.name,
        "region": chosen.region,
        "server_class": chosen.server_class,
        "desired": chosen.desired,
        "bid": price_text(chosen.bid),
        "version": KNOWN[-1],
    }
    return {
        STACK_FILE: _STACK.substitute(values),
        CLUSTER_FILE: _CLUSTER.substitute(values),
        SCHEMA_FILE: schema_text(),
    }
