"""Has a request answered and applies its scripted faults. Independent of the transport, which delivers the result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from rsspot.simulator.api import Api
from rsspot.simulator.apiserver.messages import Request, Response
from rsspot.simulator.faults import Fault

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Carried:
    """The result of a request, for the transport to deliver.

    response: None if the connection is reset without a response · delay: seconds before the response is sent
    cut: bytes of the body to send before the connection is reset; None for all · faults: those that were applied
    """

    response: Response | None
    delay: float = 0.0
    cut: int | None = None
    faults: tuple[Fault, ...] = ()


def carry(api: Api, request: Request) -> Carried:
    """Have a request answered, subject to its scripted faults."""
    faults = api.faults.hit(request)
    if not faults:
        return Carried(api.handle(request))
    for fault in faults:
        if fault.what == "price":
            api.set_price(fault.subject, Decimal(fault.price))
    delay, end = (
        api.faults.delay(faults),
        next((each for each in faults if each.what not in ("latency", "price")), None),
    )
    if end is None:
        return Carried(api.handle(request), delay, faults=tuple(faults))
    return replace(_ended(api, request, end), delay=delay, faults=tuple(faults))


def _ended(api: Api, request: Request, fault: Fault) -> Carried:
    if fault.what == "status":
        return Carried(fault.answer())
    if fault.what == "reset-before":
        return Carried(None)
    response = api.handle(request, behind=fault.amount if fault.what == "stale" else 0)
    if fault.what == "reset-after":
        return Carried(None)
    if fault.what == "truncate":
        return Carried(response, cut=min(fault.amount, len(response.body)))
    if fault.what == "huge":
        return Carried(replace(response, body=b" " * (fault.amount * MEBIBYTE) + response.body))
    return Carried(response)
