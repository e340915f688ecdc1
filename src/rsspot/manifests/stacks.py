"""The Stack of a run and the variables that it and the Stacks it includes declare. Reads no file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rsspot.constants import LOCAL_API_VERSION
from rsspot.errors import Problem
from rsspot.manifests.annotations import unknown_defaults
from rsspot.manifests.document import authored_kinds
from rsspot.manifests.referenced_files import Withheld
from rsspot.manifests.rules import ManifestRule
from rsspot.manifests.source import Source
from rsspot.manifests.stack import DEFAULT_STACK, Stack, StackSpec
from rsspot.manifests.validation import as_model, bad_name
from rsspot.manifests.variable_values import Declared, GivenValue, keeps_rules, settle
from rsspot.manifests.variables import Variables, expand, expanded
from rsspot.models.refs import DNS_LABEL
from rsspot.models.resource import AuthoredMetadata

SHARED = ("variables", "include")
"""What counts of a Stack that another one includes."""


def read_stack(
    own: Sequence[Source], included: Sequence[Source], given: Mapping[str, GivenValue], variables: Variables
) -> tuple[Stack, Variables, list[Problem]]:
    """The Stack, and the variables with their values. included: the Stacks that it includes, innermost first

    variables: where references are looked up; without values
    """
    problems = [
        Problem("a second Stack: a run has only one", source.origin(), rule=ManifestRule.STACK) for source in own[1:]
    ]
    outside = replace(variables, values={name: value.value for name, value in given.items()})
    declared: dict[str, Declared] = {}
    chosen: dict[str, GivenValue] = {}
    withheld: dict[str, Withheld] = {}
    for source in (*included, *own[:1]):
        for name, variable, why in _declared(source, outside, problems):
            if name in declared and keeps_rules(declared[name], variable):
                chosen[name] = GivenValue(variable.value, source.origin(variable.path))
            else:
                declared[name] = variable
                chosen.pop(name, None)
            withheld.pop(name, None)
            withheld |= {name: why} if why and name not in given else {}
    values, wrong = settle(declared, {**chosen, **given})
    problems += [problem for each in wrong.values() for problem in each]
    for source in included:
        problems += _of_included(source)
    full = replace(variables, values=values, withheld=withheld, wrong=frozenset(wrong))
    return _own(own[0], declared, full, problems) if own else _nothing(), full, problems


def declared_names(sources: Sequence[Source]) -> set[str]:
    """The names of the variables that Stacks declare."""
    return {name for source in sources for name in _written(source)}


def unused_variables(sources: Sequence[Source], used: Collection[str]) -> Iterator[str]:
    """A clause about each variable that these Stacks declare and no reference asks for."""
    for source in sources:
        for name in _written(source):
            if name not in used:
                yield f"{source.origin(('spec', 'variables', name))}: nothing uses the variable {name!r}"


def _written(source: Source) -> dict[str, Any]:
    spec = source.value.get("spec")
    variables = spec.get("variables") if isinstance(spec, dict) else None
    return variables if isinstance(variables, dict) else {}


def _declared(
    source: Source, outside: Variables, problems: list[Problem]
) -> Iterator[tuple[str, Declared, Withheld | None]]:
    """Each variable of a Stack, without references, and why its value may not be shown.

    Whether it may is decided where it is used: it may be meant for a secret.
    """
    for name in _written(source):
        path = ("spec", "variables", name)
        value, missing, withheld = expanded(source, path, outside, trusted=lambda _: True)
        problems += missing
        yield name, Declared(value, source, path), withheld[0] if withheld else None


def _own(source: Source, declared: Mapping[str, Declared], variables: Variables, problems: list[Problem]) -> Stack:
    spec, written = source.value.get("spec"), _written(source)
    # Variables are expanded already, and nothing is expanded twice; includes have been read as they stand.
    kept = {key: value for key, value in spec.items() if key in SHARED} if isinstance(spec, dict) else {}
    if kept:
        source.value = {**source.value, "spec": {**source.value["spec"], **dict.fromkeys(kept)}}
    missing = expand(source, variables)
    if kept:
        filled = {name: declared[name].value for name in written}
        source.value["spec"] |= {**kept, **({"variables": filled} if filled else {})}
    wrong: list[Problem] = []
    stack = as_model(Stack, source.value, source, (), wrong)
    unfilled = {problem.origin for problem in missing}
    problems += missing + [problem for problem in wrong if problem.origin not in unfilled]
    if stack is None:
        return _nothing()
    problems += _misversioned(stack, source)
    problems += unknown_defaults(stack.spec.defaults, authored_kinds().values(), source)
    if not DNS_LABEL.fullmatch(stack.name):
        problems.append(bad_name(stack.name, source))
    return stack


def _misversioned(stack: Stack, source: Source) -> Iterator[Problem]:
    if stack.api_version != LOCAL_API_VERSION:
        message = f"wrong apiVersion {stack.api_version!r}"
        yield Problem(
            message, source.origin(("apiVersion",)), f"Stack is {LOCAL_API_VERSION}", rule=ManifestRule.API_VERSION
        )


def _of_included(source: Source) -> list[Problem]:
    """What is wrong with a Stack of which only a part counts. Other fields may refer to what is not here."""
    problems: list[Problem] = []
    known = {info.alias or name for name, info in StackSpec.model_fields.items()} - {*SHARED}
    document = dict(source.value)
    if isinstance(spec := document.get("spec"), dict):
        document["spec"] = {key: value for key, value in spec.items() if key not in known}
    if isinstance(metadata := document.get("metadata"), dict) and isinstance(metadata.get("name"), str):
        document["metadata"] = {"name": metadata["name"]}
    stack = as_model(Stack, document, source, (), problems)
    return problems or (list(_misversioned(stack, source)) if stack else [])


def _nothing() -> Stack:
    metadata = AuthoredMetadata(name=DEFAULT_STACK)
    return Stack(api_version=LOCAL_API_VERSION, kind=Stack.__name__, metadata=metadata, spec=StackSpec())
