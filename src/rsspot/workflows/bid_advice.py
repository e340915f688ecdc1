"""Which bids to make: for the pools of manifests or for a class, with the numbers they come from. Prints nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import ManifestError, Origin, Problem, UsageError
from rsspot.manifests.edits import PriceEdit, with_price
from rsspot.manifests.files import STANDARD_INPUT
from rsspot.manifests.manifest import Manifest, ManifestSet
from rsspot.models.bids import price_at
from rsspot.models.costs import Cost
from rsspot.resources.kind import Kind
from rsspot.resources.registry import kinds
from rsspot.services.pricing.advice import Advice
from rsspot.services.pricing.api import Advised
from rsspot.utils.files import replace_text
from rsspot.utils.serialization import Document, at_path
from rsspot.workflows.prices import PATIENCE


@dataclass(frozen=True)
class Bidder:
    """Something that bids. spec: what it wants besides · path, of: of the bid and of the class in the spec"""

    kind: Kind[Any]
    spec: Document
    path: tuple[str, ...]
    of: tuple[str, ...]
    manifest: Manifest | None = None

    @property
    def server_class(self) -> str:
        return str(at_path(self.spec, self.of))

    @property
    def bid(self) -> Decimal | None:
        """What it bids now."""
        return price_at(self.spec, self.path)

    def cost(self, advice: Advice, advised: Advised) -> Cost | None:
        """What it would cost with another class and bid."""
        if advice.bid is None or self.kind.cost is None:
            return None
        return self.kind.cost(
            _with(_with(self.spec, self.of, advice.server_class), self.path, advice.bid), advised.rates
        )


@dataclass(frozen=True)
class Proposal:
    """A bid for one bidder. cost: what all its servers cost then · others: cheaper classes and their costs."""

    bidder: Bidder
    advice: Advice
    cost: Cost | None
    others: tuple[tuple[Advice, Cost | None], ...]


def bidders_of(manifests: ManifestSet) -> list[Bidder]:
    """Everything in manifests that bids. Raises UsageError if nothing does."""
    found = [
        Bidder(each.kind, each.spec, path, bid.of, each) for each in manifests.manifests for path, bid in each.kind.bids
    ]
    if not found:
        raise UsageError("nothing here makes a bid", hint="give manifests with spot pools, or the name of a class")
    return found


def bidder_for(server_class: str, nodes: int) -> Bidder:
    """A pool of this class that nobody has declared."""
    kind = next(each for _, each in sorted(kinds().items()) if each.bids and each.parent and each.manageable)
    path, bid = kind.bids[0]
    return Bidder(kind, _with({"desired": nodes}, bid.of, server_class), path, bid.of)


async def advise(
    client: AsyncSpotClient, bidders: Iterable[Bidder], *, risk: Decimal, nearby: bool = False
) -> list[Proposal]:
    """A bid for each bidder, of which at most this share of the recorded hours would have been lost.

    Sends only GETs. Raises UsageError for an unknown class; ApiError, AuthError, TransportError.
    """
    wanted = list(bidders)
    names = {each.server_class for each in wanted}
    advised = await client.pricing.advise(names, risk=risk, nearby=nearby, patience=PATIENCE)
    return [_proposal(each, advised[each.server_class]) for each in wanted]


def _proposal(bidder: Bidder, advised: Advised) -> Proposal:
    others = tuple((each, bidder.cost(each, advised)) for each in advised.cheaper)
    return Proposal(bidder, advised.advice, bidder.cost(advised.advice, advised), others)


def write_bids(proposals: Iterable[Proposal]) -> list[PriceEdit]:
    """Write the proposed bids into the manifests: all of them, or none. Returns what was written.

    Raises ManifestError for a price that has to be left to its author, UsageError for a file that cannot be written.
    """
    edits = list(_edits(proposals))
    problems: list[Problem] = []
    texts = {file: _edited(file, of_file, problems) for file, of_file in _by_file(edits).items()}
    if problems:
        raise ManifestError(problems, hint="no file was written")
    for file, (old, new) in texts.items():
        try:
            replace_text(Path(file), new, old=old)
        except OSError as error:
            raise UsageError(f"cannot write {file}: {error.strerror}") from None
    return edits


def _edits(proposals: Iterable[Proposal]) -> Iterator[PriceEdit]:
    """The prices that are to be other ones."""
    for each in proposals:
        bidder, bid = each.bidder, each.advice.bid
        if bidder.manifest is not None and bid is not None and bid != bidder.bid:
            yield PriceEdit(bidder.manifest, ("spec", *bidder.path), bid)


def _by_file(edits: Iterable[PriceEdit]) -> dict[str, list[PriceEdit]]:
    """The edits of each file, the last place first: what stands before a place does not move by an edit there."""
    files: dict[str, list[PriceEdit]] = defaultdict(list)
    for edit in edits:
        files[edit.where.file].append(edit)
    return {file: sorted(of, key=lambda edit: (-edit.where.line, -edit.where.column)) for file, of in files.items()}


def _edited(file: str, edits: Iterable[PriceEdit], problems: list[Problem]) -> tuple[str, str]:
    """The text of a file before and after."""
    old = new = _text(Path(file), problems)
    for edit in edits if old else ():
        try:
            new = with_price(new, edit)
        except ValueError as error:
            message = f"the price of {edit.manifest.address} is not changed: {error}"
            problems.append(Problem(message, edit.where, "change it where it comes from"))
    return old, new


def _text(file: Path, problems: list[Problem]) -> str:
    try:
        if file == STANDARD_INPUT:
            raise ValueError("standard input cannot be written")
        return file.read_bytes().decode()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        problems.append(Problem(f"cannot be edited: {reason}", Origin(str(file)), "name a file"))
        return ""


def _with(spec: Document, path: tuple[str, ...], value: object) -> Document:
    """A spec with another value at a path."""
    key, *rest = path
    return spec | {key: _with(spec.get(key) or {}, tuple(rest), value) if rest else value}
