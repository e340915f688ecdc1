"""known_names(): what the ledger has on record of an organization, for lists to be held against. Sends nothing."""

from __future__ import annotations

from collections import defaultdict

from rsspot.state.ledger.protocol import Ledger


def known_names(ledger: Ledger, account: str) -> dict[str, set[str]]:
    """Kind -> wire names, of all stacks: what belongs to one may live in an object of another.

    account: what the scopes of the organization begin with
    """
    names: dict[str, set[str]] = defaultdict(set)
    for scope in {run.scope for run in ledger.runs() if run.scope.startswith(account)}:
        for ref in ledger.owned(scope):
            names[ref.kind].add(ref.name)
    return names
