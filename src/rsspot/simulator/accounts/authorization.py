"""Who may do what: members act on the objects of their organization and read what the operators provide."""

from __future__ import annotations

from dataclasses import replace

from rsspot.simulator.accounts.people import ADMIN, Caller
from rsspot.simulator.apiserver.crds import READS, VERBS, Definition
from rsspot.simulator.apiserver.messages import Refusal
from rsspot.simulator.apiserver.resources import Target

OPEN_PATHS = (
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi/*",
    "/readyz",
    "/version",
)
"""Paths without objects that every caller may get. A star stands for the rest of a path."""
_COLLECTIONS = ("list", "watch")


def narrowed(caller: Caller, target: Target) -> Target:
    """The target, reduced to what the caller may see. Raises Refusal if they may not do this at all."""
    if not may(caller, target):
        raise _forbidden(caller, target)
    own = caller.organization.namespace
    if target.definition.per_tenant and target.verb in _COLLECTIONS:
        return replace(target, only=own)
    # Tenants cannot see other namespaces, so a list across all namespaces covers only their own.
    return replace(target, namespace=own) if target.namespace is None else target


def may(caller: Caller, target: Target) -> bool:
    """Whether a caller may do this."""
    definition, own = target.definition, caller.organization.namespace
    if target.subresource or target.verb not in definition.verbs:
        return False
    if not definition.stored:
        return True
    if target.verb not in READS and caller.group != ADMIN:
        return False
    if definition.per_tenant:
        return target.name == own or (target.name is None and target.verb in _COLLECTIONS)
    if not definition.namespaced:
        return True
    return target.namespace == own or (target.namespace is None and target.verb in _COLLECTIONS)


def may_get(path: str) -> bool:
    """Whether a caller may get a path that has no objects."""
    return any(path == each or (each.endswith("*") and path.startswith(each[:-1])) for each in OPEN_PATHS)


def verbs_in(caller: Caller, definition: Definition, namespace: str) -> tuple[str, ...]:
    """What a caller may do with the objects of a kind, as far as they are in a namespace or in none."""
    where = namespace if definition.namespaced else ""
    name = caller.organization.namespace if definition.per_tenant else None
    return tuple(verb for verb in VERBS if may(caller, Target(verb, definition, where, name)))


def _forbidden(caller: Caller, target: Target) -> Refusal:
    definition = target.definition
    # A request for a namespace counts as a request in it.
    namespace = target.name if definition.per_tenant else target.namespace
    what = f"{definition.plural}/{target.subresource}" if target.subresource else definition.plural
    where = f' in the namespace "{namespace}"' if namespace else " at the cluster scope"
    who, resource = f'User "{caller.person.email}"', f'resource "{what}" in API group "{definition.group}"'
    name = f' "{target.name}"' if target.name else ""
    message = f"{definition.resource}{name} is forbidden: {who} cannot {target.verb} {resource}{where}"
    return Refusal(403, "Forbidden", message, name=target.name or "", kind=definition.plural, group=definition.group)
