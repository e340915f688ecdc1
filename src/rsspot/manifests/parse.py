"""Documents to manifests: validates each against its kind and reports every problem with its place. Sends nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.errors import ManifestError, Origin, Problem
from rsspot.manifests.composition import composed
from rsspot.manifests.includes import read_all
from rsspot.manifests.leaks import unsendable
from rsspot.manifests.manifest import Manifest, ManifestSet
from rsspot.manifests.matrix import clause_of
from rsspot.manifests.own_documents import DOCUMENTS
from rsspot.manifests.referenced_files import Files
from rsspot.manifests.source import Source
from rsspot.manifests.stacks import declared_names, read_stack
from rsspot.manifests.validation import bad_name, unknown_field, validated
from rsspot.manifests.variable_values import given_values, unknown
from rsspot.manifests.variables import TOLD, Variables, expand
from rsspot.models.fields import COMMAND, SECRET, SERVER_OWNED
from rsspot.models.refs import DNS_LABEL
from rsspot.models.resource import AuthoredMetadata, Metadata
from rsspot.resources.kind import Kind
from rsspot.resources.registry import kinds
from rsspot.utils.serialization import at_path
from rsspot.utils.text import did_you_mean

BOOKKEEPING = (STACK_LABEL, NAME_ANNOTATION, "kubectl.kubernetes.io/last-applied-configuration")
"""Labels and annotations that rsspot and kubectl write themselves: ignored, so that live objects can be manifests."""
SERVERS_METADATA = ("managedFields", "ownerReferences", "selfLink", "deletionGracePeriodSeconds", "generateName")
"""Metadata that only a server writes, besides what the model knows."""
TOP_KEYS = ("apiVersion", "kind", "metadata", "spec", "status")


def load(
    paths: Sequence[Path],
    *,
    variables: Mapping[str, Any] | None = None,
    variable_files: Sequence[Path] = (),
    environ: Mapping[str, str] | None = None,
    strict: bool = False,
    everywhere: bool = False,
) -> ManifestSet:
    """Read manifests from files and directories. Raises ManifestError with every problem found.

    variables: as options give them: a text stands for a value of the declared type · variable_files: with further ones
    strict: whether a variable that no manifest declares or uses is a problem
    everywhere: whether any field may have the text of any file, for manifests whose plan was made before
    """
    environ = os.environ if environ is None else environ
    reading = read_all(paths, environ)
    given, problems = given_values(variable_files, variables or {})
    lookup = Variables(environ=environ, files=Files(reading.folders, environ, everywhere))
    stack, values, wrong = read_stack(reading.stacks, reading.included_stacks, given, lookup)
    problems = reading.problems + problems + wrong
    composing: list[Problem] = []
    sources, foreign = composed(reading.sources, values, composing)
    problems += composing
    manifests = [manifest for source in sources if (manifest := _expanded(source, values, problems))]
    problems += _duplicates(manifests)
    known = sorted(values.used | declared_names((*reading.included_stacks, *reading.stacks)))
    if strict and not reading.problems and not composing:
        # Otherwise a document that uses it may be among those that are missing.
        problems += unknown(given, known)
    if not problems and not manifests:
        places = ", ".join(map(str, paths))
        problems.append(Problem("no manifests here except for a Stack", Origin(places)))
    if problems:
        # What is wrong with a document is wrong with each combination of its matrix.
        told = [problem for problem in dict.fromkeys(problems) if problem.rule != TOLD]
        raise ManifestError(told, hint="nothing was sent")
    return ManifestSet(
        stack.name,
        tuple(manifests),
        tuple(map(str, reading.files)),
        stack.spec.limits,
        stack.spec.organization,
        stack.spec.profile,
        named=bool(reading.stacks),
        foreign=tuple(foreign),
        hidden=tuple(map(str, dict.fromkeys(reading.hidden))),
        variables=frozenset(known),
    )


def _expanded(source: Source, values: Variables, problems: list[Problem]) -> Manifest | None:
    """The manifest that a document is once its references are filled in."""
    missing = expand(source, values)
    wrong: list[Problem] = []
    manifest = _manifest(source, wrong)
    # A missing variable is one problem, not also an invalid price or name.
    unfilled = {problem.origin for problem in missing}
    problems += missing + [problem for problem in wrong if problem.origin not in unfilled]
    return None if missing else manifest


def _manifest(source: Source, problems: list[Problem]) -> Manifest | None:
    before = len(problems)
    document = source.value
    if not isinstance(document, dict):
        problems.append(Problem("a manifest is a mapping with apiVersion, kind, metadata and spec", source.origin()))
        return None
    kind = _kind(source, problems)
    for key in document:
        if key not in TOP_KEYS:
            problems.append(unknown_field(key, source.origin((key,)), TOP_KEYS))
    if kind is None:
        return None
    metadata = _metadata(source, problems)
    spec = _spec(kind, source, problems)
    problems += unsendable(kind, source)
    if len(problems) > before:
        return None
    body = {"metadata": metadata, "spec": _resolve_programs(kind, spec, source)}
    name, namespace = document["metadata"]["name"], document["metadata"].get("namespace")
    return Manifest(
        kind,
        str(name),
        body,
        source.origin(("metadata", "name")),
        namespace=str(namespace) if namespace else None,
        origins=source.marks,
        combination=clause_of(source, [str(at_path(spec, path)) for path in kind.marked(SECRET)]),
    )


def authored_kinds() -> dict[str, Kind[Any]]:
    """The kinds that users write manifests of, by name. A Stack is no object, and none of them."""
    return {name: kind for name, kind in kinds().items() if kind.authored and (kind.manageable or kind.expand)}


def _kind(source: Source, problems: list[Problem]) -> Kind[Any] | None:
    known = authored_kinds()
    name, version = source.value.get("kind"), source.value.get("apiVersion")
    kind = known.get(name) if isinstance(name, str) else None
    if kind is None:
        message = "missing field 'kind'" if name is None else f"unknown kind {name!r}"
        hint = did_you_mean(str(name), known) or f"kinds: {', '.join(sorted([*known, *DOCUMENTS]))}"
        problems.append(Problem(message, source.origin(("kind",)), hint))
    elif version != kind.api_version:
        message = f"wrong apiVersion {version!r}" if version else "missing field 'apiVersion'"
        problems.append(Problem(message, source.origin(("apiVersion",)), f"{kind.name} is {kind.api_version}"))
    return kind


def _metadata(source: Source, problems: list[Problem]) -> dict[str, Any]:
    """The labels and annotations as written.

    What only a server writes is ignored, so that its output can be a manifest.
    """
    written = source.value.get("metadata")
    if not isinstance(written, dict):
        problems.append(Problem("missing field 'metadata'", source.origin(("metadata",))))
        return {}
    servers = {info.alias or name for name, info in Metadata.model_fields.items()} | {*SERVERS_METADATA}
    ours = {info.alias or name for name, info in AuthoredMetadata.model_fields.items()}
    kept = {key: value for key, value in written.items() if key in ours or key not in servers}
    metadata = validated(AuthoredMetadata, kept, source, ("metadata",), problems)
    if metadata and not DNS_LABEL.fullmatch(str(metadata["name"])):
        problems.append(bad_name(str(metadata["name"]), source))
    return {
        key: {name: value for name, value in metadata[key].items() if name not in BOOKKEEPING}
        for key in ("labels", "annotations")
        if key in metadata
    }


def _spec(kind: Kind[Any], source: Source, problems: list[Problem]) -> dict[str, Any]:
    written = source.value.get("spec")
    if not isinstance(written, dict):
        problems.append(Problem("missing field 'spec'", source.origin(("spec",))))
        return {}
    servers = {path[0] for path in kind.marked(SERVER_OWNED) if len(path) == 1}
    kept = {key: value for key, value in written.items() if key not in servers}
    return validated(kind.spec_model, kept, source, ("spec",), problems)


def _resolve_programs(kind: Kind[Any], spec: dict[str, Any], source: Source) -> dict[str, Any]:
    """Resolve programs that are given relative to the manifest."""
    for path in kind.marked(COMMAND):
        *parents, last = path
        holder: Any = spec
        for part in parents:
            holder = holder.get(part) if isinstance(holder, dict) else None
        command = holder.get(last) if isinstance(holder, dict) else None
        if command and command[0].startswith(("./", "../")):
            # Absolute, so that a saved plan which is applied from another folder does not run that folder's program.
            beside = Path(source.origin(("spec", *path, 0)).file).parent
            holder[last] = [os.path.abspath(beside / command[0]), *command[1:]]  # noqa: PTH100
    return spec


def _duplicates(manifests: Sequence[Manifest]) -> Iterator[Problem]:
    first: dict[str, Manifest] = {}
    for manifest in manifests:
        earlier = first.setdefault(manifest.address, manifest)
        if earlier is not manifest:
            message = f"{manifest.address} is declared twice{_which(manifest)}"
            yield Problem(message, manifest.origin, f"first at {earlier.origin}{_which(earlier)}")


def _which(manifest: Manifest) -> str:
    return f" ({manifest.combination})" if manifest.combination else ""
