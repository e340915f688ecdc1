"""Prices are exact, and only bids and plans that the service accepts are planned."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from rsspot import SpotClient
from rsspot.simulator.apiserver.messages import Response
from support.loopback_server import SPEC

CLOUDSPACE = f"""\
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {{name: web}}
spec: {json.dumps(SPEC)}
"""
POOL = """\
---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: workers}
spec: {cloudSpace: web, serverClass: gp.vs1.large-dfw, desired: 2, bidPrice: BID}
"""


def planned(rsspot, tmp_path, pool: str):
    """The plan of one cloudspace and one pool."""
    manifest = tmp_path / "stack.yaml"
    manifest.write_text(CLOUDSPACE + pool)
    return rsspot("plan", str(manifest), "-o", "json")


@pytest.mark.defect(31)
@pytest.mark.parametrize("bid", ["0.00135", "0.001", "0.005", "0.05", "0.0600001"])
def test_an_invalid_bid_is_refused(account, rsspot, tmp_path, bid):
    """Otherwise a plan is approved that the service rejects, or that never gets a server."""
    ended = planned(rsspot, tmp_path, POOL.replace("BID", bid))
    assert ended.code in (3, 5)
    problems = ended.json.get("refusals") or ended.json["error"]["problems"]
    assert "stack.yaml" in json.dumps(problems)
    assert account.writes() == []


@pytest.mark.defect(31)
def test_a_pool_of_another_region_is_refused(account, rsspot, tmp_path):
    """Otherwise a plan has pools that its cloudspace can never have."""
    ended = planned(rsspot, tmp_path, POOL.replace("BID", "0.06").replace("large-dfw", "large-iad"))
    assert ended.code == 5
    assert "two regions" in json.dumps(ended.json["refusals"])


@pytest.mark.defect(31)
@pytest.mark.parametrize("bid", ["0.06", '"0.06"', "0.060"])
def test_a_valid_bid_is_accepted_in_every_notation(account, rsspot, tmp_path, bid):
    """And it is the same bid afterwards."""
    ended = planned(rsspot, tmp_path, POOL.replace("BID", bid))
    assert ended.code == 0
    assert ended.json["summary"]["create"] == 2


@pytest.mark.defect(31)
@pytest.mark.parametrize(
    ("price", "wanted"),
    [(0.30000000000000004, "0.3"), ("0.010000", "0.01"), ("$0.003", "0.003"), (0.1, "0.1"), ("", None), ("n/a", None)],
)
def test_a_price_is_exact_in_every_notation(account, rsspot, price, wanted):
    """Otherwise sums have floating-point errors."""
    resources = {"cpu": "4", "memory": "16Gi"}
    document = {
        "metadata": {"name": "gp", "uid": "1"},
        "spec": {"region": SPEC["region"], "resources": resources, "minBidPricePerHour": price},
        "status": {"spotPricing": {"marketPricePerHour": price}},
    }
    account.answer("GET .*/serverclasses$", *[Response.of_json(200, {"items": [document]})] * 2)
    with SpotClient(cache=False) as client:
        (quote,) = client.pricing.list()
    assert quote.market == (None if wanted is None else Decimal(wanted))
    assert (quote.cpu, quote.memory) == ("4", "16Gi")
    (shown,) = rsspot("pricing", "list", "-o", "json", "--no-cache").json
    assert shown["market"] == wanted


@pytest.mark.defect(15)
def test_prices_are_printed_as_a_table_by_default(account, rsspot):
    """Otherwise the output depends on the version of a library."""
    assert rsspot("pricing", "list").out.splitlines()[0].split()[:2] == ["SERVER", "CLASS"]
    assert len(rsspot("pricing", "list", "-o", "json").json) > 10
