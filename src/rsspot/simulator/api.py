"""The API: one request in, one response out, as a Kubernetes API server answers it.

Speaks no HTTP and opens no socket. Knows the paths; what happens at them is in `reading` and `writing`.
"""

from __future__ import annotations

from collections.abc import Callable

from rsspot.simulator.accounts.identity import Denied, Organization
from rsspot.simulator.machinery import discovery, openapi
from rsspot.simulator.machinery.crds import Definition
from rsspot.simulator.machinery.messages import Refusal, Request, Response
from rsspot.simulator.machinery.reading import Reader, shown
from rsspot.simulator.machinery.writing import Writer, is_rehearsal
from rsspot.simulator.spot import feeds
from rsspot.simulator.spot.events import events_endpoint
from rsspot.simulator.spot.kubeconfigs import kubeconfig_endpoint
from rsspot.simulator.world import World

READ_ONLY = ("regions", "serverclasses")
Endpoint = Callable[[Request], Response]


class _DryRun(Exception):
    def __init__(self, response: Response) -> None:
        self.response = response


class Api:
    """Answers requests about one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._reader = Reader(world, self.tick)
        self._writer = Writer(world)
        self._open = _open_endpoints(world)

    def handle(self, request: Request) -> Response:
        """The answer to a request. Never raises."""
        with self.world.lock:
            try:
                self.tick()
                with self.world.store.transaction():
                    response = self._answer(request)
                    if is_rehearsal(request):
                        raise _DryRun(response)
                    return response
            except _DryRun as rehearsal:
                return rehearsal.response
            except Denied as denied:
                return denied.response
            except Refusal as refusal:
                return refusal.response()
            except Exception as defect:
                return Refusal(500, "InternalError", f"Internal error occurred: {defect!r}").response()

    def tick(self) -> None:
        """Let everything happen that is due. Apart from the request, whose refusal must not undo it."""
        with self.world.lock, self.world.store.transaction():
            self.world.advance()

    def _answer(self, request: Request) -> Response:
        parts = [part for part in request.path.split("/") if part]
        if methods := self._open.get("/".join(parts)):
            return _of_method(methods, request)
        if len(parts) == 2 and parts[0] == "history":
            return feeds.history_feed(self.world, parts[1])
        caller = self.world.identity.caller(request)
        if parts == ["apis", "auth.ngpc.rxt.io", "v1", "organizations"]:
            return self.world.identity.organizations_endpoint()
        if parts == ["apis", "metrics.ngpc.rxt.io", "v1", "events", "organizations"]:
            return events_endpoint(self.world, caller, request)
        if parts == ["api"]:
            return Response.of_json(200, {"kind": "APIVersions", "apiVersion": "v1", "versions": []})
        if parts == ["apis"]:
            return Response.of_json(200, discovery.group_list(self.world.definitions.values()))
        if parts == ["openapi", "v2"]:
            served, version = self.world.definitions.values(), discovery.VERSION["gitVersion"]
            return Response.of_json(200, openapi.swagger(served, version, READ_ONLY))
        if len(parts) >= 3 and parts[0] == "apis":
            return self._group(request, caller, parts)
        raise Refusal(404, "NotFound", "the server could not find the requested resource")

    def _group(self, request: Request, caller: Organization, parts: list[str]) -> Response:
        api_version, rest = "/".join(parts[1:3]), parts[3:]
        served = self.world.definitions.values()
        if not rest and any(each.api_version == api_version for each in served):
            return Response.of_json(200, discovery.resource_list(api_version, served))
        namespace = None
        if rest[:1] == ["namespaces"] and len(rest) >= 3:
            namespace, rest = rest[1], rest[2:]
        definition = self.world.definitions.get(rest[0]) if rest else None
        if definition is None or definition.api_version != api_version or len(rest) > 3:
            raise Refusal(404, "NotFound", "the server could not find the requested resource")
        if len(rest) == 3:
            raise self._forbidden(caller, request.method, f"{rest[0]}/{rest[2]}", definition, namespace)
        if namespace is not None and namespace != caller.namespace:
            raise self._forbidden(caller, request.method, definition.plural, definition, namespace)
        if definition.namespaced and namespace is None:
            # Tenants cannot see all namespaces; a list over them is one over their own.
            if request.method != "GET" or len(rest) > 1:
                raise Refusal(404, "NotFound", "the server could not find the requested resource")
            namespace = caller.namespace
        if definition.plural in READ_ONLY and request.method != "GET":
            raise self._forbidden(caller, request.method, definition.plural, definition, None)
        return self._verb(request, definition, namespace or "", rest[1] if len(rest) == 2 else None)

    def _verb(self, request: Request, definition: Definition, namespace: str, name: str | None) -> Response:
        if name is None and request.method == "GET":
            return (
                self._reader.watch(request, definition, namespace)
                if request.flag("watch")
                else self._reader.list(request, definition, namespace)
            )
        if name is None and request.method == "POST":
            return self._writer.create(request, definition, namespace)
        if name is None and request.method == "DELETE":
            return self._writer.delete_collection(request, definition, namespace)
        if name is None or request.method not in ("GET", "PATCH", "PUT", "DELETE"):
            raise Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        live = self.world.store.get(definition.plural, namespace, name)
        if live is None:
            raise _not_found(definition, name)
        if request.method == "GET":
            return shown(self.world, request, definition, live)
        if request.method == "DELETE":
            return self._writer.delete(request, definition, live)
        return self._writer.update(request, definition, live)

    def _forbidden(
        self, caller: Organization, method: str, what: str, definition: Definition, namespace: str | None
    ) -> Refusal:
        verb = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.get(
            method, method.lower()
        )
        where = f' in the namespace "{namespace}"' if namespace else " at the cluster scope"
        who, resource = 'User "sandbox@example.com"', f'resource "{what}" in API group "{definition.group}"'
        message = f"{what}.{definition.group} is forbidden: {who} cannot {verb} {resource}{where}"
        return Refusal(403, "Forbidden", message, kind=definition.plural, group=definition.group)


def _not_found(definition: Definition, name: str) -> Refusal:
    message = f'{definition.resource} "{name}" not found'
    return Refusal(404, "NotFound", message, name=name, kind=definition.plural, group=definition.group)


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
