"""`create` and `patch` name the next valid bid, and the class or region that was meant, before anything is sent."""

from __future__ import annotations

import json

import pytest

from rsspot.cli.app import run
from support.shell import CLOUDSPACE, listed, write

POOL = {"cloudSpace": "edge", "serverClass": "gp.vs1.large-dfw", "desired": 1, "bidPrice": "0.04"}


@pytest.fixture(autouse=True)
def edge(here: object) -> None:
    """A cloudspace to put pools into."""
    assert run(["--sandbox", "apply", write(CLOUDSPACE), "--yes", "--wait", "none"]) == 0


def create(capsys: pytest.CaptureFixture[str], plural: str = "spotnodepools", **fields: object) -> tuple[int, str]:
    """Create a pool that differs in these fields."""
    capsys.readouterr()
    spec = {key: value for key, value in {**POOL, **fields}.items() if value is not None}
    return run(["--sandbox", plural, "create", "workers", json.dumps(spec)]), capsys.readouterr().err


def patch(capsys: pytest.CaptureFixture[str], **fields: object) -> tuple[int, str]:
    """Change fields of the pool."""
    capsys.readouterr()
    return run(["--sandbox", "spotnodepools", "patch", "workers", json.dumps(fields)]), capsys.readouterr().err


@pytest.mark.parametrize("spelling", ["bidPrice", "bid_price"])
def test_create_names_the_next_valid_bid(capsys: pytest.CaptureFixture[str], spelling: str) -> None:
    """And the class that it is for."""
    fields: dict[str, object] = {"bidPrice": None, spelling: "0.041"}
    code, said = create(capsys, **fields)
    assert code == 3
    assert "a bid of 0.041 is not on the bid ladder; the next valid bid is 0.06" in said
    assert "the class is gp.vs1.large-dfw" in said
    assert listed("spotnodepools", capsys) == []


def test_patch_names_the_next_valid_bid(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the class that the live object has."""
    assert create(capsys)[0] == 0
    code, said = patch(capsys, bidPrice=0.051)
    assert code == 3
    assert "the next valid bid is 0.06" in said
    assert patch(capsys, bidPrice=0.06)[0] == 0
    assert patch(capsys, desired=2)[0] == 0
    assert listed("spotnodepools", capsys)[0]["spec"]["bidPrice"] == "0.06"


def test_a_bid_under_the_market_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """It would win nothing."""
    code, said = create(capsys, bidPrice="0.001")
    assert code == 3
    assert "the next valid bid is" in said


@pytest.mark.parametrize("plural", ["spotnodepools", "ondemandnodepools"])
def test_an_unknown_class_is_answered_with_the_one_meant(capsys: pytest.CaptureFixture[str], plural: str) -> None:
    """Whether or not there is a bid for it."""
    bid = None if plural == "ondemandnodepools" else "0.04"
    code, said = create(capsys, plural, serverClass="gp.vs1.larg-dfw", bidPrice=bid)
    assert code == 3
    assert "there is no ServerClass 'gp.vs1.larg-dfw'" in said
    assert "did you mean 'gp.vs1.large-dfw'?" in said


def test_an_unknown_region_is_answered_with_the_one_meant(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a cloudspace."""
    code = run(["--sandbox", "cloudspaces", "create", "other", '{"region": "us-central-dfw1"}'])
    assert code == 3
    assert "did you mean 'us-central-dfw-1'?" in capsys.readouterr().err


def test_nothing_alike_names_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    """There is always a way out."""
    code, said = create(capsys, serverClass="zzz")
    assert code == 3
    assert "rsspot serverclasses list" in said
