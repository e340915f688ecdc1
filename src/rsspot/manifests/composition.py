"""The documents that manifests are made of: without those of other tools, each combination by itself, with overlays."""

from __future__ import annotations

from collections.abc import Sequence

from rsspot.errors import Problem
from rsspot.manifests.matrix import combinations
from rsspot.manifests.overlay import Overlay
from rsspot.manifests.overlays import with_overlays
from rsspot.manifests.own_documents import is_a
from rsspot.manifests.rules import ManifestRule
from rsspot.manifests.source import MOST_DOCUMENTS, Source
from rsspot.manifests.stack import Stack
from rsspot.manifests.variables import Variables
from rsspot.resources.registry import kinds
from rsspot.utils.text import did_you_mean


def composed(
    sources: Sequence[Source], variables: Variables, problems: list[Problem]
) -> tuple[list[Source], list[str], list[str]]:
    """The documents to make manifests of, and notes on those that another tool reads and on saved plans."""
    overlays: list[Source] = []
    documents: list[Source] = []
    foreign: list[str] = []
    plans: list[str] = []
    for source in sources:
        if is_a(Stack, source):
            continue
        if not source.named and _is_saved_plan(source):
            plans.append(f"{source.origin()}: a saved plan")
        elif not source.named and (what := _foreign(source)):
            foreign.append(f"{source.origin()}: {what} is not rsspot's")
        elif is_a(Overlay, source):
            overlays.append(source)
        elif len(documents) > MOST_DOCUMENTS:
            problems.append(Problem(f"more than {MOST_DOCUMENTS} documents", source.origin(), rule=ManifestRule.FILE))
            break
        else:
            documents += combinations(source, variables, problems)
    return with_overlays(documents, overlays, variables, problems), foreign, plans


def _is_saved_plan(source: Source) -> bool:
    """Whether a document is a plan that was saved among the manifests; it declares nothing."""
    return isinstance(source.value, dict) and str(source.value.get("schema")).startswith("rsspot.plan/")


def _foreign(source: Source) -> str | None:
    """What a document is that another tool reads; None for one that is ours, or may be meant to be.

    Only documents in a searched folder may be foreign: a file that is named has to be ours.
    """
    kind, version = (
        (source.value.get(key) for key in ("kind", "apiVersion")) if isinstance(source.value, dict) else ("", "")
    )
    if not isinstance(kind, str) or not isinstance(version, str) or kind in kinds():
        return None
    group = version.rpartition("/")[0]
    ours = {known.api_version.rpartition("/")[0] for known in kinds().values()}
    alike = did_you_mean(group, ours) or did_you_mean(kind, kinds())
    return None if group in ours or alike else f"the {kind} ({version})"
