"""ApplyContext: what a run works with, as one value. Does nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from rsspot.applier.options import PARALLEL, WaitMode
from rsspot.resources.documents import Documents
from rsspot.resources.kind import Kind, Phase
from rsspot.resources.waiting import STEP_SECONDS, WAIT_SECONDS
from rsspot.state.ledger.protocol import Ledger
from rsspot.utils.clock import Clock


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds of the clock, unless it is given up before.

    step: after which a write that failed is not sent once more
    """

    ready: float = WAIT_SECONDS
    gone: float = WAIT_SECONDS
    step: float = STEP_SECONDS
    given_up: Callable[[], bool] = lambda: False


class DocumentsOf(Protocol):
    """Where the verbs of a kind come from."""

    def __call__(self, kind: Kind[Any], *, permit: Callable[[], None] | None = None) -> Documents:
        """permit: asked before each attempt at each write."""
        ...


@dataclass(frozen=True)
class ApplyContext:
    """What a run works with."""

    ledger: Ledger
    clock: Clock
    documents: DocumentsOf
    kinds: dict[str, Kind[Any]]
    organization: str
    stack: str
    wait: WaitMode | str = WaitMode.READY
    wait_for: Phase = Phase.READY
    """How far an object has to be where it is waited for, unless another step needs it to be ready."""
    patience: Patience = field(default_factory=Patience)
    made_by: Mapping[str, str] = field(default_factory=dict)
    """Who started the run, and for which commit: for the ledger."""
    parallel: int = PARALLEL
    """How many members of one step are created at a time."""
