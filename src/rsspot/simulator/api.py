"""The API: one request in, one response out, as the gateway and the API server behind it answer.

Speaks no HTTP and opens no socket. Knows who may do what where; the objects themselves are those of `apiserver`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

from rsspot.simulator.accounts.identity import Denied
from rsspot.simulator.accounts.people import ADMIN, Caller
from rsspot.simulator.apiserver import discovery
from rsspot.simulator.apiserver.messages import Refusal, Request, Response
from rsspot.simulator.apiserver.negotiation import written
from rsspot.simulator.apiserver.parsing import is_rehearsal
from rsspot.simulator.apiserver.resources import Nowhere, ResourceEndpoints, Target
from rsspot.simulator.spot import feeds, provisioning
from rsspot.simulator.spot.events import events_endpoint
from rsspot.simulator.spot.kubeconfigs import kubeconfig_endpoint
from rsspot.simulator.world import World

READ_ONLY = ("regions", "serverclasses")
LONGEST_WARNING = 4096
Endpoint = Callable[[Request], Response]


class _DryRun(Exception):
    def __init__(self, response: Response) -> None:
        self.response = response


class Api:
    """Answers requests about one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults = world.faults
        self._resources = ResourceEndpoints(world.objects, self._look)
        self._open = _open_endpoints(world)
        self.turn = 0
        """How often anything has changed so far."""

    def handle(self, request: Request, behind: int = 0) -> Response:
        """The answer to a request. Never raises. behind: how many writes ago a read is answered from"""
        with self.world.lock:
            try:
                self.tick()
                before = self.world.store.version()
                with self.world.store.transaction(reads=request.method in ("GET", "HEAD")):
                    response = self._answer(request, behind)
                    if is_rehearsal(request):
                        raise _DryRun(response)
                if self.world.store.version() != before:
                    self._tell()
            except _DryRun as rehearsal:
                response = rehearsal.response
            except (Denied, Nowhere) as plain:
                return plain.response
            except Refusal as refusal:
                response = refusal.response()
            except Exception as defect:
                response = Refusal(500, "InternalError", f"Internal error occurred: {defect!r}").response()
        return written(request, _warned(response))

    def tick(self) -> None:
        """Let everything happen that is due. Apart from the request, whose refusal must not undo it."""
        with self.world.lock:
            if not self.world.is_due():
                self.world.objects.now = max(self.world.objects.now, self.world.clock.time())
                return
            with self.world.store.transaction():
                self.world.advance()
            self._tell()

    def wait(self, turn: int, seconds: float) -> None:
        """Wait until there is something newer than a turn, but not for longer than that."""
        with self.world.changed:
            self.world.changed.wait_for(lambda: self.turn != turn, seconds)

    def _tell(self) -> None:
        self.turn += 1
        self.world.changed.notify_all()

    @contextmanager
    def _look(self) -> Iterator[None]:
        """Read the store after everything due has happened."""
        with self.world.lock:
            self.tick()
            yield

    def set_price(self, server_class: str, price: Decimal | None) -> None:
        """Have others pay that much for a class from now on; None gives its market back to itself."""
        with self.world.lock:
            with self.world.store.transaction():
                provisioning.set_price(self.world, server_class, price)
            self._tell()

    def _answer(self, request: Request, behind: int) -> Response:
        parts = [part for part in request.path.split("/") if part]
        if methods := self._open.get("/".join(parts)):
            return _of_method(methods, request)
        if len(parts) == 2 and parts[0] == "history":
            return feeds.history_feed(self.world, parts[1])
        caller = self.world.identity.caller(request)
        if parts == ["apis", "auth.ngpc.rxt.io", "v1", "organizations"]:
            return self.world.identity.organizations_endpoint(caller)
        if parts == ["apis", "metrics.ngpc.rxt.io", "v1", "events", "organizations"]:
            return events_endpoint(self.world, caller.organization, request)
        if parts[:3] == ["api", "v1", "namespaces"] and len(parts) == 4 and request.method in ("GET", "HEAD"):
            return _namespace(caller, parts[3])
        described = discovery.answer(request, self.world.definitions.values(), READ_ONLY)
        if described is not None:
            return described
        return self._resources.answer(request, lambda target: self._guarded(caller, target), behind)

    def _guarded(self, caller: Caller, target: Target) -> Target:
        """What a tenant may do: anything to objects of their organization, and read what the operators provide."""
        definition, reads = target.definition, target.verb in ("get", "list", "watch")
        if target.subresource or not (reads or caller.group == ADMIN):
            raise _forbidden(caller, target)
        if not definition.namespaced:
            if definition.plural in READ_ONLY and not reads:
                raise _forbidden(caller, target)
            return target
        if target.namespace is None:
            # Tenants cannot see all namespaces; a list over them is one over their own.
            return replace(target, namespace=caller.organization.namespace)
        if target.namespace != caller.organization.namespace:
            raise _forbidden(caller, target)
        return target


def _forbidden(caller: Caller, target: Target) -> Refusal:
    definition, namespace = target.definition, target.namespace
    what = f"{definition.plural}/{target.subresource}" if target.subresource else definition.plural
    where = f' in the namespace "{namespace}"' if namespace else " at the cluster scope"
    who, resource = f'User "{caller.person.email}"', f'resource "{what}" in API group "{definition.group}"'
    name = f' "{target.name}"' if target.name else ""
    said = f"{definition.plural}.{definition.group}{name} is forbidden: {who} cannot {target.verb} {resource}{where}"
    return Refusal(403, "Forbidden", said, name=target.name or "", kind=definition.plural, group=definition.group)


def _namespace(caller: Caller, name: str) -> Response:
    """GET /api/v1/namespaces/NAME: an organization, of which tenants see their own. kubectl looks after every 404."""
    if name != caller.organization.namespace:
        where = f'in API group "" in the namespace "{name}"'
        said = (
            f'namespaces "{name}" is forbidden: User "{caller.person.email}" cannot get resource "namespaces" {where}'
        )
        raise Refusal(403, "Forbidden", said, name=name, kind="namespaces")
    metadata = {"name": name, "labels": {"kubernetes.io/metadata.name": name}}
    frame = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    return Response.of_json(200, {**frame, "spec": {}, "status": {"phase": "Active"}})


def _warned(response: Response) -> Response:
    """An answer with its warnings in a header, as far as a header can hold them."""
    sayable = [warning for warning in response.warnings if warning.isprintable()]
    quoted = (warning.replace("\\", "\\\\").replace('"', '\\"') for warning in sayable)
    said = [f'299 - "{warning}"' for warning in quoted]
    while sum(map(len, said)) > LONGEST_WARNING:
        said.pop()
    return replace(response, headers={**response.headers, "Warning": ", ".join(said)}) if said else response


def _open_endpoints(world: World) -> dict[str, dict[str, Endpoint]]:
    """What the gateway lets through unseen: path -> method -> endpoint. Some look at a token themselves."""
    identity = world.identity
    alive: dict[str, Endpoint] = {"GET": lambda _: Response.of_text(200, "ok")}
    return {
        "healthz": alive,
        "readyz": alive,
        "livez": alive,
        "version": {"GET": lambda _: Response.of_json(200, discovery.VERSION)},
        "oauth/token": {"POST": identity.token_endpoint},
        "oauth/device/code": {"POST": identity.device.start_endpoint},
        "activate": {"GET": identity.device.page_endpoint, "POST": identity.device.page_endpoint},
        "userinfo": {"GET": identity.userinfo_endpoint},
        ".well-known/openid-configuration": {"GET": identity.configuration_endpoint},
        ".well-known/jwks.json": {"GET": identity.keys_endpoint},
        "apis/auth.ngpc.rxt.io/v1/generate-kubeconfig": {"POST": lambda asked: kubeconfig_endpoint(world, asked)},
        "percentiles.json": {"GET": lambda _: feeds.percentiles_feed(world)},
        "comparable_prices.json": {"GET": lambda _: feeds.comparables_feed(world)},
    }


def _of_method(methods: dict[str, Endpoint], request: Request) -> Response:
    """A HEAD is answered as a GET; whoever carries it leaves the body out."""
    endpoint = methods.get("GET" if request.method == "HEAD" else request.method)
    if endpoint is None:
        raise Refusal(405, "MethodNotAllowed", f"this path takes {' or '.join(methods)}")
    return endpoint(request)
