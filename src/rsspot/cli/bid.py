"""The `bid` commands: which bids to make, and what the recorded prices say of them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.grammar import App
from rsspot.cli.plan_options import VARIABLE, VARIABLE_FILE, load_manifests
from rsspot.cli.session import CliSession, session
from rsspot.cli_history import shown
from rsspot.errors import RsspotError, UsageError
from rsspot.models.costs import Cost, Measure
from rsspot.models.money import price_text
from rsspot.models.percent import parse_percent, percent_text
from rsspot.utils.text import printable

if TYPE_CHECKING:
    from rsspot.services.pricing.advice import Advice
    from rsspot.workflows.bid_advice import Bidder, Proposal

app = App(help="Find the lowest bid for a risk.")
CENT = Decimal("0.01")
ADDRESS = "serverclass/{serverClass}"
"""How `-o name` calls what is proposed."""
FIRST = ("pool", "now", "serverClass", "bid", "lost", "market", "p50", "p80", "month")
EXTRA = ("ceiling",)
"""The columns of every table, and that of wide ones; both amounts by the month are in JSON."""


@app.callback()
def bid() -> None:
    """Find the lowest bid for a risk."""


@app.command()
def advise(
    subjects: list[str] = shown(
        typer.Argument(None, metavar="PATH...|CLASS", help="Manifests with pools, or the name of a server class.")
    ),
    risk: str = shown(typer.Option("1%", "--risk", help="Share of the recorded hours that a bid may lose.")),
    nodes: int | None = shown(typer.Option(None, "--nodes", min=1, help="Number of servers, for a class; default: 1.")),
    nearby: bool = typer.Option(False, "--nearby", help="Look for cheaper classes in the whole country."),
    write: bool = typer.Option(False, "--write", help="Write the bids into the manifests, and nothing else."),
    var: list[str] = VARIABLE,
    var_file: list[Path] = VARIABLE_FILE,
) -> None:
    """Propose the lowest valid bid that would have lost at most --risk of the last four weeks, and cheaper classes.

    Cheaper classes are at least as big: cores, memory and GPUs. Sends only GET requests.
    """
    from rsspot.utils.output import LINES, Plain
    from rsspot.workflows import bid_advice

    here, share = session(), _share(risk)
    bidders = _bidders(here, subjects or [], nodes, (var, var_file), write=write)
    proposals = here.run(bid_advice.advise(here.client, bidders, risk=share, nearby=nearby))
    in_lines = here.options.output in LINES
    shown_values = _rows(proposals) if in_lines else _documents(proposals, share)
    here.show(Plain(shown_values, address=ADDRESS, first=FIRST, extra=EXTRA))
    if without := [each for each in proposals if each.advice.bid is None]:
        reasons = "; ".join(dict.fromkeys(f"{each.advice.server_class}: {each.advice.why_none}" for each in without))
        raise RsspotError(f"no bid can be proposed for {len(without)} of {len(proposals)}: {reasons}")
    for edit in bid_advice.write_bids(proposals) if write else ():
        typer.echo(f"wrote {price_text(edit.price)} at {printable(str(edit.where))}", err=True)


def _share(risk: str) -> Decimal:
    try:
        return parse_percent(risk)
    except ValueError as error:
        raise UsageError(f"--risk {error}") from None


def _bidders(
    here: CliSession, subjects: list[str], nodes: int | None, given: tuple[list[str], list[Path]], *, write: bool
) -> list[Bidder]:
    """What the subjects stand for."""
    from rsspot.workflows.bid_advice import bidder_for, bidders_of

    if len(subjects) == 1 and _is_class(subjects[0]):
        if write:
            raise UsageError("--write needs manifests, and this is a class", hint="give the files to write to")
        return [bidder_for(subjects[0], nodes or 1)]
    if nodes is not None:
        raise UsageError("--nodes is for a class: manifests say how many servers they want", hint="leave it out")
    return bidders_of(load_manifests(here, [Path(each) for each in subjects], *given))


def _is_class(subject: str) -> bool:
    """Whether a subject is the name of a class: it is no file, and does not look like one."""
    from rsspot.manifests.files import STANDARD_INPUT, SUFFIXES

    path = Path(subject)
    return path.name == subject and path != STANDARD_INPUT and path.suffix not in SUFFIXES and not path.exists()


def _rows(proposals: list[Proposal]) -> list[dict[str, Any]]:
    rows = []
    for each in proposals:
        manifest, bid = each.bidder.manifest, _price(each.bidder.bid)
        pool = {"pool": manifest.address, "now": bid} if manifest else {}
        rows.append(pool | _row(each.advice, each.cost))
        instead = {"pool": "or", "now": None} if manifest else {}
        rows += [instead | _row(other, cost) for other, cost in each.others]
    return rows


def _row(advice: Advice, cost: Cost | None) -> dict[str, Any]:
    lost = None if advice.lost is None else f"{advice.lost}/{advice.hours} h"
    return {
        "serverClass": advice.server_class,
        "bid": _price(advice.bid),
        "lost": lost,
        "market": _price(advice.market),
        "p50": _price(advice.p50),
        "p80": _price(advice.p80),
        "month": _month(cost, Measure.EXPECTED),
        "ceiling": _month(cost, Measure.CEILING),
    }


def _documents(proposals: list[Proposal], risk: Decimal) -> list[dict[str, Any]]:
    return [
        {
            "address": each.bidder.manifest.address if each.bidder.manifest else None,
            "risk": percent_text(risk),
            "bidNow": _price(each.bidder.bid),
            **_document(each.advice, each.cost),
            "cheaper": [_document(other, cost) for other, cost in each.others],
        }
        for each in proposals
    ]


def _document(advice: Advice, cost: Cost | None) -> dict[str, Any]:
    return {
        "serverClass": advice.server_class,
        "region": advice.region,
        "bid": _price(advice.bid),
        "unknown": advice.why_none,
        "hours": advice.hours,
        "hoursLost": advice.lost,
        "market": _price(advice.market),
        "p50": _price(advice.p50),
        "p80": _price(advice.p80),
        "perMonth": {measure.value: _month(cost, measure) for measure in Measure},
    }


def _price(price: Decimal | None) -> str | None:
    return None if price is None else price_text(price)


def _month(cost: Cost | None, measure: Measure) -> str | None:
    amount = cost.per_month(measure) if cost else None
    return None if amount is None else price_text(amount.quantize(CENT))


COMMANDS: dict[str, Any] = {"bid": app}
