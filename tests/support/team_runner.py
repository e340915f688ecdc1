"""One runner of a team, as a process: applies one of the team's stacks after the other, until it is told to stop.

`python -m support.team_runner SERVICE LEDGER FOLDER SEED`. Notes in the folder how each apply ended.
"""

from __future__ import annotations

import asyncio
import random
import sys
from contextlib import aclosing
from pathlib import Path

from rsspot.applier.events import Recap
from rsspot.applier.options import ApplyOptions
from rsspot.client.async_client import AsyncSpotClient
from rsspot.config.loader import Resolved
from rsspot.errors import RsspotError
from rsspot.manifests.manifest import ManifestSet
from rsspot.planner.options import PlanOptions
from rsspot.settings import Setting
from rsspot.state.ledger.protocol import Ledger
from rsspot.workflows.reconcile import apply_plan, make_plan
from support.changing_stack import CLASSES, REGION, document, parsed
from support.served_account import ACCOUNT

POOLS = 4
GENEROUS = PlanOptions(prune=True, most_deletes=100)
NO_WAIT = ApplyOptions(wait="none")


def variant(stack: str, chance: random.Random) -> ManifestSet:
    """A stack as it may be wanted: its cloudspace, and some of its pools with some number of servers."""
    documents = [document("CloudSpace", stack, region=REGION, kubernetesVersion="1.31.1")]
    for number in range(POOLS):
        if chance.random() < 0.8:
            fields = {"cloudSpace": stack, "serverClass": CLASSES[0], "desired": chance.randint(1, 9)}
            documents.append(document("OnDemandNodePool", f"p{number}", **fields))
    return parsed(documents)


def client_of(service: str, ledger: str, folder: Path) -> AsyncSpotClient:
    """A client of the service whose ledger is on a server."""
    values = {
        "base_url": service,
        "oauth_url": service,
        "client_id": "tests",
        "refresh_token": ACCOUNT.refresh_token,
        "organization": ACCOUNT.name,
    }
    settings = {name: Setting(value, "test") for name, value in values.items()}
    return AsyncSpotClient(
        resolved=Resolved("test", settings, folder / "state.db", ledger=Setting(ledger, "test")), cache=False
    )


async def apply(client: AsyncSpotClient, ledger: Ledger, stack: str, manifests: ManifestSet) -> str:
    """Plan and apply; gives the outcome."""
    plan = await make_plan(client, ledger, manifests, options=GENEROUS, stack=stack, priced=False)
    async with aclosing(apply_plan(client, ledger, plan, NO_WAIT)) as events:
        [*_, recap] = [event async for event in events]
    assert isinstance(recap, Recap)
    return recap.outcome.value


async def main(service: str, ledger: str, folder: Path, seed: str) -> None:
    """The program."""
    chance, stacks = random.Random(seed), (folder / "stacks").read_text().split()
    client = client_of(service, ledger, folder)
    while not (folder / "stop").exists():
        stack = chance.choice(stacks)
        try:
            outcome = await apply(client, client.ledger, stack, variant(stack, chance))
        except RsspotError as error:
            outcome = type(error).__name__
            print(f"{stack}: {error} {error.hint}", file=sys.stderr)
        # One short line at the end of a file is written as a whole, whoever else writes.
        with (folder / "ended").open("a") as ended:
            ended.write(f"{stack} {outcome}\n")
    await client.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4]))
