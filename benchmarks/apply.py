"""`rsspot apply` of many creates against a slow service, beside what the latency alone asks. Asserts nothing.

The service is the simulator in a process of its own, which answers each POST after LATENCY. Ideal is the latency of all
creates divided by how many are under way at a time. What a plan of the same takes is taken off.
"""

from __future__ import annotations

import tempfile
from dataclasses import astuple
from pathlib import Path

from measuring import RSSPOT, Cost, cost, median, simulator, tell
from stack import placed

CREATES = (100, 1_000)
ROUNDS = 3
WIDE = 32
LATENCY = 0.05
APPLY = [*RSSPOT, "apply", "--yes", "--wait=none", "-o", "json"]


def measured(creates: int) -> Cost:
    """What an apply of new pools costs beyond its plan."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        groups, stack = folder / "groups.yaml", folder / "stack.yaml"
        with simulator(folder, "--fault", f"POST nodepools: latency {LATENCY} always") as service:
            spaces, pools = placed(service.listed("serverclasses"), creates)
            groups.write_text(spaces)
            stack.write_text(spaces + pools)
            cost([*APPLY, str(groups)], service.environ)
            plan = [*RSSPOT, "plan", "--out", str(folder / "plan.json"), str(stack)]
            cost(plan, service.environ)
            planned = cost(plan, service.environ, server=service.pid)
            apply = [*APPLY, "--parallelism", str(WIDE), str(stack)]
            applied = cost(apply, service.environ, server=service.pid)
    difference = Cost(*(a - b for a, b in zip(astuple(applied), astuple(planned), strict=True)))
    return Cost(difference.cpu, difference.wall, applied.memory, difference.server)


def main() -> None:
    """Print the results of each size once they are measured."""
    for creates in CREATES:
        spent = median([measured(creates) for _ in range(ROUNDS)])
        tell("creates", spent, objects=creates, ideal=creates / WIDE * LATENCY)


if __name__ == "__main__":
    main()
