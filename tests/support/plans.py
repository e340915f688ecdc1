"""Plans of any size whose names, values and messages are as hostile as a service or an author can make them."""

from __future__ import annotations

from decimal import Decimal

from rsspot.constants import STACK_LABEL
from rsspot.errors import Origin, Problem
from rsspot.models.costs import Cost
from rsspot.models.refs import Ref
from rsspot.planner.change import Action, Base, Change, Edit
from rsspot.planner.money import GroupCost, ObjectCost, PlannedBid, Shift, StackCost
from rsspot.planner.plan import Leftover, Pending, Plan

HOSTILE = (
    "a|b",
    "`tick`",
    "`````` many",
    "@octocat and @octo/cats",
    "#123 GH-7 octo/cat#9",
    "<b>bold</b><script>window.ran=1</script>",
    "</details></summary></pre></script><!-- -->",
    "[here](https://evil.example) https://evil.example www.evil.example",
    "![x](https://evil.example/x.png)",
    "line\nbreak\r\n\n# heading\n```\n~~~\n",
    "bidi \u202e\u2066 zero\u200bwidth \x00\x1b[2J",
    "::error::no ##[error]no ##vso[task.setvariable variable=a]b",
    "quote \" ' & ]]> \\ % { } *bold* _it_ ~gone~",
    "東京 \U0001f600",
)
"""Texts that mean something to a terminal, a browser, a renderer of markdown, a runner of workflows or a parser."""
NO_TEXT = "\udcff"
"""A byte of the name of a file that is no text. No manifest can hold one."""
SECRET = "canary-5d1c-of-a-report"
ACTIONS = (Action.CREATE, Action.UPDATE, Action.DELETE, Action.REPLACE, Action.ADOPT, Action.DETACH)
IN_ONE_CLOUDSPACE = 10


def plan_of_size(count: int, *, actions: tuple[Action, ...] = ACTIONS, hostile: bool = True) -> Plan:
    """A plan of so many changes, by turns of these actions, ten in each cloudspace."""
    changes = tuple(_change(index, actions[index % len(actions)], hostile=hostile) for index in range(count))
    evil = HOSTILE if hostile and count else ()
    return Plan(
        "scope",
        "org-tests",
        "demo",
        "apply",
        changes,
        unchanged=3,
        files=("infra/a.yaml", "infra/b.yaml"),
        pending=tuple(Pending(f"cloudspace/{each}", Ref("CloudSpace", each), each) for each in evil),
        undeclared=tuple(Leftover(f"cloudspace/{each}", Ref("CloudSpace", each)) for each in evil),
        notes=tuple(evil),
        refusals=tuple(Problem(f"{each} may not be", Origin(each, 3, 7), each, "budget") for each in evil[:5]),
        programs={f"/opt/{each}": "sha256:00ff" for each in evil[:2]},
        cost=cost_of(changes) if count else None,
    )


def _change(index: int, action: Action, *, hostile: bool) -> Change:
    evil = HOSTILE[index % len(HOSTILE)] if hostile else "plain"
    cloudspace, name = f"cs-{index // IN_ONE_CLOUDSPACE}", f"{evil}-{index}" if hostile else f"pool-{index}"
    made = action in (Action.CREATE, Action.REPLACE)
    return Change(
        f"spotnodepool/{cloudspace}/{name}",
        action,
        Ref("SpotNodePool", f"uid-{index}"),
        f"declared, and {evil} differs",
        Origin(f"infra/{evil}{NO_TEXT}.yaml", index + 1, 3) if action is not Action.DELETE else None,
        f"cloudspace/{cloudspace}",
        edits=_edits(evil) if action in (Action.UPDATE, Action.REPLACE, Action.ADOPT, Action.DETACH) else (),
        body=_body(cloudspace, evil) if made else None,
        base=None if action is Action.CREATE else Base(f"uid-{index}", "u"),
        secrets=(("spec", "webhook"),) if made else (),
        filled=(("spec", "desired"),) if made else (),
        filled_from={("spec", "desired"): evil} if made else {},
    )


def _edits(evil: str) -> tuple[Edit, ...]:
    return (
        Edit(("spec", "bidPrice"), Decimal("0.03"), Decimal("0.05")),
        Edit(("spec", "customLabels", evil), evil, [evil, {evil: evil}], by=evil, since=evil, applied=evil),
        Edit(("metadata", "labels", "team"), None, evil, drift=True),
        Edit(("spec", "webhook"), SECRET, f"{SECRET}-2", secret=True),
    )


def _body(cloudspace: str, evil: str) -> dict[str, object]:
    return {
        "apiVersion": "ngpc.rxt.io/v1",
        "kind": "SpotNodePool",
        "metadata": {
            "name": "uid",
            "labels": {STACK_LABEL: "demo", evil: evil},
            "annotations": {"owner": evil},
        },
        "spec": {"cloudSpace": cloudspace, "desired": 3, "customLabels": {evil: evil}, "webhook": SECRET},
    }


def cost_of(changes: tuple[Change, ...]) -> StackCost:
    """What these changes are said to cost, with bids and the prices of a day."""
    groups: dict[str, list[ObjectCost]] = {}
    for change in changes:
        one = Cost(Decimal("0.01"), Decimal("0.02"), Decimal("0.03"))
        shift = Shift(None if change.action is Action.CREATE else one, None if change.action is Action.DELETE else one)
        groups.setdefault(str(change.parent), []).append(ObjectCost(change.address, shift))
    bids = tuple(PlannedBid(each.address, "gp.vs1.large-dfw", None, Decimal("0.02")) for each in changes[:6])
    past = {"gp.vs1.large-dfw": tuple(Decimal(hour % 7 + 1) / 200 for hour in range(24))}
    sums = tuple(GroupCost(address, tuple(objects)) for address, objects in groups.items())
    return StackCost(sums, warnings=tuple(HOSTILE[:2]) if changes else (), bids=bids, past=past)
