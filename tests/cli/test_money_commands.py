"""Money as a user meets it: the cost in a plan, a budget, --max-cost, and bids proposed and written."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.shell import Command

STACK = """apiVersion: rsspot.dev/v1
kind: Stack
metadata: {name: mine}
spec: {}
---
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-2}
---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: workers}
spec:
  cloudSpace: edge
  serverClass: gp.vs2.medium-dfw2
  desired: 2
  bidPrice: 0.06   # for now
"""
FILE = Path("stack.yaml")


def cost_of(printed: str) -> Any:
    """The cost in a plan that was printed as JSON."""
    return json.loads(printed)["cost"]


def test_a_plan_says_what_it_costs(rsspot: Command) -> None:
    """Before and after, by the hour and by the month; in JSON as text."""
    FILE.write_text(STACK)
    printed = rsspot("plan stack.yaml")
    assert "  cloudspace/edge              0 -> 0.02  0 -> 14.6\n" in printed
    assert "Cost: 0 -> 0.02 USD/h (floor 0.02, ceiling 0.12), 0 -> 14.6 USD/month\nPlan: 2 to create" in printed
    rsspot("apply stack.yaml --yes --wait none")
    FILE.write_text(STACK.replace("desired: 2", "desired: 5"))
    cost = cost_of(rsspot("plan stack.yaml -o json"))
    sums = [cost[side]["perMonth"]["expected"] for side in ("before", "after")]
    assert sums == ["14.6", "36.5"]
    assert [group["address"] for group in cost["groups"]] == ["cloudspace/edge"]
    assert "0.02 -> 0 USD/h" in rsspot("destroy stack.yaml --yes --wait none")


def test_a_plan_succeeds_without_the_feed(rsspot: Command) -> None:
    """It says that the cost is unknown, and why; a budget for what is expected refuses then."""
    rsspot("simulator faults --add 'GET /history/: 403 always'")
    FILE.write_text(STACK)
    printed = rsspot("plan stack.yaml")
    assert "Cost unknown: gp.vs2.medium-dfw2: no price history of" in printed
    assert "Cost: 0 -> unknown USD/h (floor 0.02, ceiling 0.12)" in printed
    assert cost_of(rsspot("plan stack.yaml -o json"))["after"]["perHour"]["expected"] is None
    FILE.write_text(STACK.replace("spec: {}", "spec: {budget: {perHour: 5, of: expected}}"))
    assert "stack.yaml:4:17: the expected cost of the stack is not known" in rsspot("plan stack.yaml", 5)
    assert "nothing was sent" in rsspot("apply stack.yaml --yes", 5)


def test_prices_are_read_only_if_something_costs(rsspot: Command) -> None:
    """And the past of each class once."""
    FILE.write_text(STACK)
    other = STACK.rpartition("---")[2].replace("workers", "batch")
    FILE.write_text(f"{STACK}---{other}")
    printed = rsspot("plan stack.yaml -v")
    assert (printed.count("/history/"), printed.count("/serverclasses ")) == (1, 1)
    rsspot("apply stack.yaml --yes --wait none")
    printed = rsspot("destroy stack.yaml --yes")
    assert "Cost: 0.04 -> 0 USD/h" in printed
    FILE.write_text(STACK.rpartition("---")[0])
    printed = rsspot("plan stack.yaml -v")
    assert "/history/" not in printed
    assert "/serverclasses" not in printed
    assert "Cost" not in printed


@pytest.mark.parametrize(
    ("limit", "code"), [("0.12", 0), ("0.12/h", 0), ("87.60/mo", 0), ("$0.119", 5), ("0.119/h", 5), ("87.59/mo", 5)]
)
def test_a_plan_costs_no_more_than_max_cost(rsspot: Command, limit: str, code: int) -> None:
    """The ceiling, in dollars an hour or in a month."""
    FILE.write_text(STACK)
    printed = rsspot(f"plan stack.yaml --max-cost '{limit}'", code)
    assert ("raise --max-cost" in printed) is (code == 5)


@pytest.mark.parametrize("limit", ["", "much", "-1", "0.1/d", "0.1/", "/h", "0.1 /h/h"])
def test_what_is_no_amount_is_refused(rsspot: Command, limit: str) -> None:
    """With an example."""
    FILE.write_text(STACK)
    assert "write dollars such as" in rsspot(f"plan stack.yaml --max-cost='{limit}'", 3)


def test_max_cost_only_tightens(rsspot: Command) -> None:
    """The budget of the Stack holds as well, and says what is held to it."""
    FILE.write_text(STACK.replace("spec: {}", "spec: {budget: {perHour: 0.05}}"))
    assert "spec.budget.perHour of the Stack" in rsspot("plan stack.yaml --max-cost 9", 5)
    FILE.write_text(STACK.replace("spec: {}", "spec: {budget: {perHour: 0.05, of: expected}}"))
    rsspot("plan stack.yaml --max-cost 0.02")
    assert "0.02 USD an hour (expected)" in rsspot("apply stack.yaml --yes --max-cost 0.019", 5)


def test_a_saved_plan_is_held_to_the_budget_of_today(rsspot: Command) -> None:
    """Prices move between the review and the apply; the digest does not move with them."""
    FILE.write_text(STACK.replace("spec: {}", "spec: {budget: {perHour: 0.03, of: expected}}"))
    rsspot("plan stack.yaml --out plan.json")
    digest = json.loads(Path("plan.json").read_text())["digest"]
    rsspot("simulator price gp.vs2.medium-dfw2 0.02")
    assert json.loads(rsspot("plan stack.yaml -o json"))["digest"] == digest
    assert "--max-cost" in rsspot("apply --plan plan.json --yes --wait none --max-cost 0.001", 5)
    rsspot("simulator faults --add 'GET /history/: 403 always'")
    assert "cost of the stack is not known" in rsspot("apply --plan plan.json --yes --wait none", 5)
    rsspot("simulator faults --clear")
    assert "Cost: 0 -> 0.02 USD/h (floor 0.04, ceiling 0.12)" in rsspot("apply --plan plan.json --yes --wait none")


def test_a_saved_plan_needs_its_manifests_for_max_cost(rsspot: Command) -> None:
    """Nothing vouches for the costs in the file; without the option it can be applied as it is."""
    FILE.write_text(STACK)
    rsspot("plan stack.yaml --out plan.json")
    FILE.unlink()
    assert "no such file" in rsspot("apply --plan plan.json --yes --wait none --max-cost 5", 3)
    assert "Cost:" not in rsspot("apply --plan plan.json --yes --wait none")


def test_what_a_saved_plan_says_of_its_cost_is_not_believed(rsspot: Command) -> None:
    """The digest does not cover it, so what is shown before the approval is worked out anew."""
    FILE.write_text(STACK)
    rsspot("plan stack.yaml --out plan.json")
    plan = Path("plan.json").read_text()
    Path("plan.json").write_text(plan.replace('"0.12"', '"0.01"'))
    assert "ceiling 0.12" in rsspot("apply --plan plan.json --yes --wait none")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("{budget: {}}", "must name perHour or perMonth"),
        ("{budget: {perHour: -1}}", "must not be negative"),
        ("{budget: {perHour: 0}}", "must be more than 0"),
        ("{budget: {perMonth: 1e11}}", "must be less than 1000000000"),
        ("{budget: {perHour: much}}", "must be a number such as 0.03"),
        ("{budget: {perHour: 1, of: floor}}", "must be 'ceiling' or 'expected'"),
        ("{budget: {perDay: 1}}", "unknown field 'perDay'"),
        ("{risk: {warnAbove: 0.05}}", "must be a percentage"),
        ("{extras: {cloudspace/edge: {loadBalancers: -1}}}", "must be greater than or equal to 0"),
        ("{extras: {cloudspace/edge: {volumes: 1}}}", "unknown field 'volumes'"),
    ],
)
def test_money_that_cannot_be_understood(rsspot: Command, spec: str, said: str) -> None:
    """At its line."""
    FILE.write_text(STACK.replace("spec: {}", f"spec: {spec}"))
    printed = rsspot("validate stack.yaml", 3)
    assert said in printed
    assert "error: stack.yaml:4:" in printed


def test_the_documented_stack_is_valid(rsspot: Command) -> None:
    """Every part of docs/money.md that is YAML, put together."""
    page = (Path(__file__).parents[2] / "docs" / "money.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    spec = {key: value for block in blocks for key, value in yaml.safe_load(block)["spec"].items()}
    assert set(spec) == {"budget", "risk", "extras"}
    FILE.write_text(STACK.replace("spec: {}", f"spec: {json.dumps(spec)}"))
    assert "of which 20 fixed" in rsspot("plan stack.yaml")


def test_a_risky_bid_is_told(rsspot: Command) -> None:
    """With the numbers, outside the digest."""
    FILE.write_text(STACK)
    quiet = json.loads(rsspot("plan stack.yaml -o json"))
    assert quiet["cost"]["warnings"] == []
    FILE.write_text(STACK.replace("spec: {}", "spec: {risk: {warnAbove: 0%}}").replace("0.06", "0.02"))
    assert "would have lost its servers in" in rsspot("plan stack.yaml")


def test_bids_are_proposed(rsspot: Command) -> None:
    """For every pool, with the numbers."""
    FILE.write_text(STACK)
    printed = rsspot("bid advise stack.yaml")
    assert "spotnodepool/edge/workers  0.06" in printed
    (proposal,) = json.loads(rsspot("bid advise stack.yaml --risk 1% -o json"))
    assert (proposal["bidNow"], proposal["hours"], proposal["risk"]) == ("0.06", 672, "1 %")
    assert proposal["hoursLost"] <= 6
    assert proposal["perMonth"]["expected"] == "14.6"
    assert not [value for value in json.dumps(proposal).split() if value.startswith("0.")]


def test_a_class_is_advised_on(rsspot: Command) -> None:
    """For a number of servers; its name must be right, and so must the risk."""
    (proposal,) = json.loads(rsspot("bid advise gp.vs2.medium-dfw2 --nodes 5 -o json"))
    assert (proposal["address"], proposal["perMonth"]["expected"]) == (None, "36.5")
    assert "serverclass/gp.vs2.medium-dfw2" in rsspot("bid advise gp.vs2.medium-dfw2 -o name")
    assert "did you mean 'gp.vs2.medium-dfw2'" in rsspot("bid advise gp.vs2.medum-dfw2", 3)
    assert "--risk must be a percentage" in rsspot("bid advise gp.vs2.medium-dfw2 --risk 0.01", 3)
    assert "--write needs manifests" in rsspot("bid advise gp.vs2.medium-dfw2 --write", 3)
    assert "no manifests given" in rsspot("bid advise", 3)
    FILE.write_text(STACK)
    assert "--nodes is for a class" in rsspot("bid advise stack.yaml --nodes 3", 3)
    for path in ("stuck.yaml", "manifests/", "./gp.vs2.medium-dfw2"):
        assert "no such file or directory" in rsspot(f"bid advise {path}", 3)


def test_no_bid_is_made_up(rsspot: Command) -> None:
    """What is not recorded is said, and the code says it too; nothing is written then."""
    assert "it has no minimum price" in rsspot("bid advise gp.bm2.small-iad", 1)
    FILE.write_text(STACK)
    rsspot("simulator faults --add 'GET /history/: 403 always'")
    assert "no bid can be proposed for 1 of 1: gp.vs2.medium-dfw2: no price history" in rsspot(
        "bid advise stack.yaml --write", 1
    )
    assert FILE.read_text() == STACK
    FILE.write_text(STACK.rpartition("---")[0])
    assert "nothing here makes a bid" in rsspot("bid advise stack.yaml", 3)


def test_bids_are_written(rsspot: Command) -> None:
    """Nothing besides, with the file's permissions; what needs no change is not touched."""
    FILE.write_text(STACK)
    FILE.chmod(0o640)
    (proposal,) = json.loads(rsspot("bid advise stack.yaml --risk 0% -o json"))
    assert proposal["bid"] != "0.06"
    assert "wrote" in rsspot("bid advise stack.yaml --risk 0% --write")
    assert FILE.read_text() == STACK.replace("0.06", proposal["bid"])
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o640
    assert "wrote" not in rsspot("bid advise stack.yaml --risk 0% --write")
    assert [each.name for each in Path().iterdir()] == ["stack.yaml"]


def test_a_bid_from_a_variable_is_left_to_its_author(rsspot: Command) -> None:
    """And the other files of the same call are left as they are."""
    FILE.write_text(STACK.replace("spec: {}", "spec: {variables: {bid: 0.06}}"))
    other = STACK.rpartition("---")[2].replace("workers", "batch").replace("0.06   # for now", "${var:bid}")
    Path("other.yaml").write_text(other)
    printed = rsspot("bid advise stack.yaml other.yaml --risk 0% --write", 3)
    assert "spotnodepool/edge/batch is not changed: it comes from a variable" in printed
    assert "0.06   # for now" in FILE.read_text()
    assert Path("other.yaml").read_text() == other
