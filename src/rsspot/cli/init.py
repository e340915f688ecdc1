"""The `init` command: decides, by options or by questions, what a first folder of manifests says, and writes it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import typer

from rsspot.cli.questions import Questions, at_this_terminal
from rsspot.cli.session import session
from rsspot.errors import UsageError
from rsspot.manifests.placing import require_room, write_files
from rsspot.models.money import price_text
from rsspot.services.nodepools.schemas import MOST_SERVERS
from rsspot.workflows.first_stack import (
    FILES,
    Candidate,
    FirstStack,
    Market,
    files_of,
    name_from,
    read_market,
    usable_bid,
    usable_count,
    usable_name,
)


def init(
    folder: Path = typer.Argument(Path(), metavar="FOLDER", help="Where to write. Default: the current folder."),
    name: str | None = typer.Option(None, "--name", help="Name of the cloudspace."),
    server_class: str | None = typer.Option(None, "--server-class", help="Server class of the pool."),
    bid_price: str | None = typer.Option(None, "--bid-price", help="Most to pay for one server, in dollars an hour."),
    desired: int | None = typer.Option(None, "--desired", min=1, max=MOST_SERVERS, help="Number of servers."),
    stack: str | None = typer.Option(None, "--stack", help="Name of the stack. Default: that of the cloudspace."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Ask nothing: take the suggestion for what is not given."),
) -> None:
    """Write a first folder of manifests: a cloudspace and a pool of servers won at auction.

    Asks for what is not given, with the current prices; --region is one of the global options. Never overwrites a file.
    """
    here = session()
    given = Given(name, here.options.region, server_class, bid_price, desired, stack)
    require_room(folder, FILES)
    questions = None if yes else at_this_terminal()
    if questions is None and not yes and given.missing:
        flags = ", ".join(given.missing)
        raise UsageError(f"there is no terminal to ask for {flags}", hint="add them, or --yes to take the suggestions")
    market = here.run(read_market(here.client))
    chosen = decide(given, market, questions, folder=folder, region=here.region)
    written = [str(path) for path in write_files(folder, files_of(chosen))]
    commands = _next_commands(folder, sandbox=here.options.sandbox)
    if here.options.output == "table":
        here.emit("\n".join([f"Wrote {', '.join(written)}.", "Next:", *(f"  {each}" for each in commands)]))
    else:
        here.emit({"written": written, "next": commands})


@dataclass(frozen=True)
class Given:
    """What the command line says. None: not given."""

    name: str | None = None
    region: str | None = None
    server_class: str | None = None
    bid_price: str | None = None
    desired: int | None = None
    stack: str | None = None

    @property
    def missing(self) -> list[str]:
        """The options without which something has to be asked. A class is in one region."""
        values = {
            "--name": self.name,
            "--region": self.region or self.server_class,
            "--server-class": self.server_class,
            "--bid-price": self.bid_price,
            "--desired": self.desired,
        }
        return [flag for flag, value in values.items() if value is None]


def decide(
    given: Given, market: Market, questions: Questions | None, *, folder: Path, region: str | None = None
) -> FirstStack:
    """What the files will say. Without questions, whatever is not given is what would be suggested.

    region: the default, from the profile. Raises UsageError for a value that the service would refuse.
    """
    decider = _Decider(market, questions)
    name = decider.name(given.name, name_from(folder))
    candidate = decider.candidate(given, region)
    return FirstStack(
        stack=usable_name(given.stack or name),
        name=name,
        region=candidate.region,
        server_class=candidate.name,
        bid=decider.bid(given.bid_price, candidate),
        desired=decider.desired(given.desired),
    )


@dataclass(frozen=True)
class _Decider:
    market: Market
    questions: Questions | None

    def name(self, given: str | None, suggested: str) -> str:
        if given is None and self.questions:
            return self.questions.ask("Name of the cloudspace", suggested, usable_name)
        return usable_name(given or suggested)

    def candidate(self, given: Given, default_region: str | None) -> Candidate:
        """The server class, and with it the region."""
        if given.server_class:
            return self.market.candidate(given.server_class, self.market.region(given.region) if given.region else None)
        region = self._where(given.region, default_region)
        candidates = self.market.in_region(region)
        if self.questions is None:
            return candidates[0]
        rows = [_class_row(each) for each in candidates]
        return self.questions.choose("Server class", rows, lambda answer: self.market.candidate(answer, region))

    def bid(self, given: str | None, candidate: Candidate) -> Decimal:
        def usable(text: str) -> Decimal:
            return usable_bid(text, candidate)

        suggested = price_text(candidate.bid)
        if given is None and self.questions:
            return self.questions.ask("Most to pay for one server, in dollars an hour", suggested, usable)
        return usable(given or suggested)

    def desired(self, given: int | None) -> int:
        if given is None and self.questions:
            return self.questions.ask("Number of servers", "1", usable_count)
        return given or 1

    def _where(self, given: str | None, default: str | None) -> str:
        # A stable sort: the default comes first, and then the cheapest.
        regions = sorted(self.market.open_regions, key=lambda each: each != default)
        if not regions:
            raise UsageError("no server class of any region takes bids now", hint="see `rsspot serverclasses list`")
        if given is None and self.questions:
            return self.questions.choose("Region", [self._region_row(each) for each in regions], self.market.region)
        return self.market.region(given or regions[0])

    def _region_row(self, name: str) -> dict[str, Any]:
        cheapest = self.market.in_region(name)[0]
        where = self.market.regions[name].spec.description
        return {"region": name, "where": where, "cheapest": cheapest.name, "price": price_text(cheapest.price)}


def _class_row(each: Candidate) -> dict[str, Any]:
    row = {"class": each.name, "cpu": each.cpu, "memory": each.memory}
    return {**row, "price": price_text(each.price), "suggested bid": price_text(each.bid)}


def _next_commands(folder: Path, *, sandbox: bool) -> list[str]:
    rsspot = "rsspot --sandbox" if sandbox else "rsspot"
    place = shlex.quote(str(folder))
    return [f"{rsspot} plan {place}", f"{rsspot} apply {place}"]


COMMANDS: dict[str, Any] = {"init": init}
