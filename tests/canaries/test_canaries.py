"""No secret is seen again: not on a stream, in a log, in a file, in an error or in what Python shows of an object."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rsspot import AsyncSpotClient, ConfigError, RsspotError, SpotClient, get_client
from rsspot.client.singleton import close_all_clients
from rsspot.config.loader import resolve
from rsspot.http.hooks import Hooks
from rsspot.planner.codec import dump_plan
from rsspot.simulator.apiserver.messages import Request, Response
from support.isolation import PROXY, REFRESH, USER_DATA, WEBHOOK, Cage, where_it_belongs
from support.loopback_server import failure, write_config

HOOK = f"https://hooks.example.com/{WEBHOOK}"
LOOKS = [
    "whoami",
    "config explain",
    "config path",
    "profiles list",
    "profiles show",
    "organizations list",
    "regions list",
    "pricing list",
    "events list",
    "inventory list",
    "cloudspaces list",
    "cloudspaces get edge",
    "cloudspaces watch --events 1",
    "vmcloudspaces list",
    "vmcloudspaces get vms",
    "vmpools list",
    "vmpools get runners",
    "vmpools watch --events 1",
    "vmregistrations list",
    "ledger runs",
    "ledger show 1",
    "ledger show 2",
    "ledger registrations",
    "history list",
    "state export",
    "state path",
    "plan stack.yaml",
    "plan vms.yaml",
    "validate stack.yaml",
]
"""Commands that only show something."""


def build(cage: Cage, *, machines: bool = False) -> None:
    """Make what the manifests declare, over a saved plan."""
    assert cage.run("plan stack.yaml --out stack.json") == 0
    assert cage.run("apply --plan stack.json --yes --wait none") == 0
    if not machines:
        return
    assert cage.run("apply vms.yaml --yes --wait none -o json") == 0, cage.said[-2:]


def test_no_canary_leaves_its_cage_on_the_command_line(cage: Cage) -> None:
    """Every command that shows something, in every form, and with -v."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        build(cage, machines=True)
        for look in LOOKS:
            for more in (" -v", " -o json", " -o yaml --no-cache"):
                assert cage.run(look + more) == 0, (look + more, cage.said[-1])
        Path("stack.yaml").write_text(Path("stack.yaml").read_text().replace("1.31.1", "1.32.0") + "\n")
        for more in ("", " -o json", " -o yaml", " -v"):
            assert cage.run(f"plan stack.yaml --out plan{len(more)}.json{more}") == 0
        assert cage.run("apply stack.yaml --yes --wait none -v") == 0
        assert cage.run("state export --out state.json") == 0
        assert cage.run("destroy --stack machines --yes --wait none -o json -v") in (0, 7)
    for each in warned:
        cage.keep("a warning", str(each.message))
    assert cage.flown(where_it_belongs) == []


def test_what_was_asked_for_is_given(cage: Cage) -> None:
    """And nothing else with it: a kubeconfig, and one object with its secrets."""
    build(cage, machines=True)
    cage.service.make_ready("edge")
    kept = len(cage.said)
    assert cage.run("cloudspaces kubeconfig edge") == 0
    assert "canary-kubeconfig" in cage.said[-2][1]
    assert cage.run("cloudspaces get edge --show-secrets -o json") == 0
    assert WEBHOOK in cage.said[-2][1]
    assert cage.run("vmpools get runners --show-secrets -o yaml") == 0
    assert USER_DATA in cage.said[-2][1]
    asked = cage.said[kept:]
    del cage.said[kept:]
    for place, text in asked:
        assert REFRESH not in text and PROXY not in text, place
        assert not [token for token in cage.service.given if token in text], place
    assert cage.run("cloudspaces kubeconfig edge --merge-into kubeconfig -v") == 0
    assert Path("kubeconfig").stat().st_mode & 0o077 == 0
    assert cage.flown(where_it_belongs) == []


def echo(request: Request) -> list[str]:
    """Every secret that a request holds, as an angry service would quote it."""
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    return [each for each in (request.body.decode(errors="replace"), bearer) if each]


BROKEN = {
    "500": failure(500, "what happened?"),
    "403": failure(403, "exceeded quota"),
    "401": failure(401, "Jwt is expired"),
    "html": Response(200, b"<html>"),
}


@pytest.mark.parametrize("sort", BROKEN)
def test_no_canary_leaves_its_cage_when_something_fails(cage: Cage, sort: str) -> None:
    """Failures are what is pasted into tickets."""
    build(cage)
    text = Path("stack.yaml").read_text()
    Path("stack.yaml").write_text(text.replace("1.31.1", "1.32.0").replace("hooks.example", "other.example"))
    Path("wrong.yaml").write_text(text.replace("webhook: ", "webhok: "))
    Path("twice.yaml").write_text(text + "---\n" + text)
    cage.service.answers.append(lambda request: BROKEN[sort] if "cloudspaces" in request.path else None)
    for line in (
        "cloudspaces list --no-cache",
        "cloudspaces get edge",
        "cloudspaces delete edge --yes",
        "plan stack.yaml",
        "apply stack.yaml --yes --wait none",
        "plan wrong.yaml",
        "plan twice.yaml",
        "-c stack.yaml regions list",
        "ledger show",
        "history list",
        "--org nope cloudspaces list",
        "-p nope regions list",
    ):
        for more in (" -o json", " -v"):
            cage.run(line + more)
    spec = json.dumps({"region": "us-central-dfw-2", "kubernetesVersion": "1.31.1", "webhook": HOOK})
    for more in ("", " -o json", " -v"):
        cage.run(f"cloudspaces create other{more}", spec)
        cage.run(f"cloudspaces create other{more}", spec.replace("webhook", "webhok"))
        cage.run(f"cloudspaces create other{more}", spec.replace(f'"{HOOK}"', f'["{HOOK}"]'))
        cage.run(f"cloudspaces patch edge{more}", json.dumps({"webhook": {"url": HOOK}}))
        cage.run(f"cloudspaces patch edge{more}", f'{{"webhook": "{HOOK}"')
    # What this test wrote itself is not a leak.
    for name in ("wrong.yaml", "twice.yaml"):
        Path(name).unlink()
    assert cage.flown(where_it_belongs) == []
    assert any(cage.codes.values())


QUOTING = {
    "the login": ("POST /oauth/token", "whoami"),
    "a read": ("GET .*regions", "regions list --no-cache"),
    "a create": ("POST .*cloudspaces", "cloudspaces create other"),
    "a kubeconfig": ("POST .*generate-kubeconfig", "cloudspaces kubeconfig edge"),
}


@pytest.mark.parametrize("code", [400, 401, 500])
@pytest.mark.parametrize("name", QUOTING)
def test_no_canary_comes_back_from_a_service_that_quotes_what_it_was_sent(cage: Cage, name: str, code: int) -> None:
    """A gateway or a debug build may answer with the request."""
    at, line = QUOTING[name]
    assert cage.run("apply stack.yaml --yes --wait none") == 0
    cage.service.make_ready("edge")
    for kept in (cage.folder / "home").rglob("tokens/*.json"):
        kept.unlink()

    def angry(request: Request) -> Response | None:
        quoted = " ".join(echo(request))
        return failure(code, f"cannot: {quoted}") if re.search(at, f"{request.method} {request.path}") else None

    cage.service.answers.append(angry)
    spec = json.dumps({"region": "us-central-dfw-2", "kubernetesVersion": "1.31.1", "webhook": HOOK})
    for more in ("", " -o json", " -v"):
        assert cage.run(f"{line}{more}", *([spec] if name == "a create" else [])) != 0
    assert cage.flown(where_it_belongs) == []


def test_no_canary_is_in_an_address_that_cannot_be_reached(cage: Cage) -> None:
    """A proxy's password stands in its URL, and libraries like to quote URLs."""
    profile = {**cage.service.profile(), "proxy": f"http://someone:{PROXY}@127.0.0.1:9", "retry": {"maxRetries": 1}}
    config = cage.folder / "home" / ".config" / "rsspot" / "config.yml"
    far = {"baseUrl": "https://spot.invalid", "oauthUrl": "https://login.invalid", "feedsUrl": "https://feeds.invalid"}
    write_config(config, {"profiles": {"default": {**profile, **far}}})
    for line in ("regions list", "pricing percentiles", "cloudspaces list", "config explain", "whoami"):
        for more in ("", " -o json", " -v"):
            cage.run(line + more)
    assert cage.flown(where_it_belongs) == []


def test_no_canary_is_in_a_proxy_that_cannot_be_used(cage: Cage) -> None:
    """A slip in an address that holds a password."""
    profile = {**cage.service.profile(retry={"maxRetries": 0}), "proxy": f"htp:/someone:{PROXY}@127.0.0.1:9"}
    config = cage.folder / "home" / ".config" / "rsspot" / "config.yml"
    write_config(config, {"profiles": {"default": {**profile, "baseUrl": "https://127.0.0.1:9"}}})
    for more in ("", " -o json", " -v"):
        cage.run(f"regions list{more}")
    assert not [text for _, text in cage.said if "internal error" in text]
    assert cage.flown(where_it_belongs) == []


@pytest.mark.parametrize("setting", ["base_url", "oauth_url"])
def test_no_canary_is_in_an_address_that_is_refused(cage: Cage, setting: str) -> None:
    """Some gateways want a password in the address itself."""
    with pytest.raises(ConfigError) as raised:
        SpotClient(**{setting: f"http://someone:{PROXY}@example.com"})
    seen(cage, "an error", raised.value)
    assert cage.flown(where_it_belongs) == []


@pytest.mark.parametrize(
    "line", ["regions list -v", "apply stack.yaml --yes --wait none -v", "cloudspaces get nope -v"]
)
def test_no_canary_is_in_the_output_of_a_process(cage: Cage, line: str) -> None:
    """With every debugging aid of Python and its libraries switched on."""
    environment = {**os.environ, "PYTHONDEVMODE": "1", "PYTHONASYNCIODEBUG": "1", "HTTPX_LOG_LEVEL": "trace"}
    done = subprocess.run(
        [sys.executable, "-W", "always", "-m", "rsspot", *line.split(), "-v"],
        capture_output=True,
        env=environment,
        timeout=60,
        check=False,
    )
    cage.keep("standard output", done.stdout)
    cage.keep("standard error", done.stderr)
    assert done.stdout or done.stderr
    assert cage.flown(where_it_belongs) == []


# The SDK


def seen(cage: Cage, what: str, value: object) -> None:
    """Keep whatever Python shows of a value without being asked for its secrets."""
    cage.keep(f"repr of {what}", repr(value))
    cage.keep(f"str of {what}", str(value))
    cage.keep(f"format of {what}", f"{value}")


def test_no_canary_is_in_what_the_sdk_shows(cage: Cage) -> None:
    """Clients, settings, hooks and errors end up in logs by themselves."""
    build(cage)
    exchanges: list[object] = []
    with SpotClient(hooks=Hooks(after=[exchanges.append])) as client:
        client.organizations.list()
        client.cloudspaces.list()
        seen(cage, "a client", client)
        seen(cage, "an async client", client._aio)
        seen(cage, "settings", client._aio.config)
        seen(cage, "settings, explained", client._aio.config.explain())
        seen(cage, "the bearer", client._aio._bearer)
        seen(cage, "the token", client._aio._bearer.token)
        seen(cage, "the session", vars(client._aio.session))
        seen(cage, "exchanges", exchanges)
        seen(cage, "whoami", client.whoami())
    seen(cage, "shared clients", get_client())
    close_all_clients()
    assert cage.flown(where_it_belongs) == []


SHOWN = "what Python shows of it holds the value"


@pytest.mark.parametrize(
    "what",
    [
        "options",
        "cloudspace",
        "vmpool",
    ],
)
def test_no_canary_is_in_what_python_shows_of_a_value(cage: Cage, what: str) -> None:
    """A value that is logged by mistake."""
    build(cage, machines=True)
    with SpotClient() as client:
        values = {
            "options": lambda: client._aio.config.options,
            "cloudspace": lambda: client.cloudspaces.get("edge"),
            "vmpool": lambda: client.vm_pools.list()[0],
        }
        seen(cage, what, values[what]())
    assert cage.flown(where_it_belongs) == []


SPEC = {"region": "us-central-dfw-2", "kubernetesVersion": "1.31.1"}
NOWHERE = {"base_url": "http://127.0.0.1:9", "config": {"profiles": {"default": {"retry": {"maxRetries": 0}}}}}
MISTAKES: list[tuple[dict[str, Any], Callable[[SpotClient], object]]] = [
    ({"profile": "nope"}, lambda client: client),
    ({"refresh_token": REFRESH, **NOWHERE}, lambda client: client.regions.list()),
    ({"refresh_token": f"{REFRESH}-wrong", "cache": False}, lambda client: client.regions.list()),
    ({"config": {"profiles": {"default": {"refreshToken": [REFRESH]}}}}, lambda client: client),
    ({"config": {"profiles": {"default": {"refresh_tokn": REFRESH}}}}, lambda client: client),
    ({"config": {"profiles": {"default": {"refreshToken": REFRESH, "timeout": "soon"}}}}, lambda client: client),
    ({}, lambda client: client.cloudspaces.get("nope")),
    ({}, lambda client: client.cloudspaces.create("edge", {**SPEC, "webhook": HOOK})),
    ({}, lambda client: client.cloudspaces.create("other", {**SPEC, "webhook": [HOOK]})),
    ({}, lambda client: client.cloudspaces.patch("edge", {"webhok": HOOK})),
    ({}, lambda client: client.cloudspaces.patch("edge", {"webhook": {"url": HOOK}})),
    ({}, lambda client: client.vm_pools.create("other", {"vmUserData": USER_DATA})),
    ({"organization": "nope"}, lambda client: client.cloudspaces.list()),
]
"""Options of a client and what is done with it, each of which fails with a secret at hand."""


def failures() -> Iterator[RsspotError]:
    """What each mistake comes to."""
    for options, mistake in MISTAKES:
        with pytest.raises(RsspotError) as raised, SpotClient(**options) as client:
            mistake(client)
        yield raised.value


def test_no_canary_is_in_an_error(cage: Cage) -> None:
    """Not in its words, its traceback, its attributes, its causes, nor in a pickle of it."""
    build(cage)
    found = list(failures())
    for error in found:
        seen(cage, type(error).__name__, error)
        cage.keep("a traceback", "".join(traceback.format_exception(error)))
        cage.keep("attributes", repr(vars(error)))
        cage.keep("causes", repr((error.__cause__, error.__context__ if not error.__suppress_context__ else None)))
        cage.keep("a pickle", pickle.dumps(error, protocol=0))
        cage.keep("a copy", repr(vars(copy.deepcopy(error))))
    assert cage.flown(lambda name, path: where_it_belongs(name, path)) == []


async def test_no_canary_is_in_what_a_run_tells(cage: Cage) -> None:
    """Plans, events and recaps are values of their own."""
    from rsspot.applier.options import ApplyOptions
    from rsspot.manifests.parse import load
    from rsspot.workflows.reconcile import apply_plan, make_plan

    async with AsyncSpotClient(cache=False) as client:
        plan = await make_plan(client, client.ledger, load([Path("stack.yaml")], environ={}))
        cage.keep("a saved plan", json.dumps(dump_plan(plan)))
        async for event in apply_plan(client, client.ledger, plan, ApplyOptions(wait="none")):
            seen(cage, "an event", event)
        for run in client.ledger.runs():
            seen(cage, "a run", run)
            seen(cage, "steps", client.ledger.steps(run.id))
            seen(cage, "attempts", client.ledger.attempts(run.id))
            seen(cage, "what is owned", client.ledger.owned(run.scope))
    assert cage.flown(where_it_belongs) == []


async def test_no_canary_is_in_what_python_shows_of_a_plan(cage: Cage) -> None:
    """Whoever writes a workflow of their own logs the plan first."""
    from rsspot.manifests.parse import load
    from rsspot.workflows.reconcile import make_plan

    async with AsyncSpotClient(cache=False) as client:
        manifests = load([Path("stack.yaml")], environ={})
        plan = await make_plan(client, client.ledger, manifests)
    seen(cage, "a plan", plan)
    assert cage.flown(where_it_belongs) == []


def test_settings_are_not_shown_with_their_secrets(cage: Cage) -> None:
    """However they were given."""
    environ = {"HOME": str(cage.folder / "home"), "RSSPOT_REFRESH_TOKEN": REFRESH, "RSSPOT_ACCESS_TOKEN": REFRESH}
    for resolved in (resolve(environ=environ), resolve(environ={**environ, "RSSPOT_PROXY": f"http://a:{PROXY}@b:1"})):
        seen(cage, "settings", resolved)
        seen(cage, "settings, explained", resolved.explain())
        seen(cage, "one setting", resolved.settings["refresh_token"])
    assert cage.flown(where_it_belongs) == []


# Files


class Watch:
    """Looks at every file below a folder whenever Python is about to do something with the system."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.on, self.found, self.looks = folder, False, set(), 0

    def __call__(self, *_: object) -> None:
        if not self.on:
            return
        self.on = False
        try:
            self.looks += 1
            for root, _folders, files in os.walk(self.folder):
                for name in files:
                    try:
                        mode = os.stat(os.path.join(root, name)).st_mode  # noqa: PTH116, PTH118
                    except FileNotFoundError:
                        continue
                    if mode & 0o077:
                        self.found.add((name, oct(mode & 0o777)))
        finally:
            self.on = True

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look, with an umask that hides no mistake."""
        before = os.umask(0)
        self.on = True
        try:
            yield
        finally:
            self.on = False
            os.umask(before)


def test_every_file_is_private_from_its_first_moment(
    cage: Cage, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A moment is enough for who waits for it."""
    for each in ("stack.yaml", "vms.yaml"):
        Path(each).chmod(0o600)
    legacy = home / ".spot_config"
    legacy.write_text((home / ".config" / "rsspot" / "config.yml").read_text())
    legacy.chmod(0o600)
    watch = Watch(tmp_path)
    sys.addaudithook(watch)
    with watch.watching():
        build(cage)
        cage.service.make_ready("edge")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "second"))
        for line, stdin in (
            ("config migrate", ""),
            ("configure --profile new --token-stdin", REFRESH),
            ("configure --profile new --region us-central-dfw-2", ""),
            ("profiles use new", ""),
            ("profiles use default", ""),
            ("config set-default region us-central-dfw-2", ""),
            ("organizations list", ""),
            ("cloudspaces kubeconfig edge --merge-into kube/config", ""),
            ("cloudspaces kubeconfig edge --merge-into kube/config", ""),
            ("plan stack.yaml --out plan.json", ""),
            ("state export --out state.json", ""),
            ("state import state.json", ""),
            ("logout", ""),
        ):
            with _typed(tmp_path, stdin).open() as given:
                monkeypatch.setattr("sys.stdin", given)
                assert cage.run(line) == 0, (line, cage.said[-1])
    assert watch.looks > 200
    assert watch.found == set()
    names = {each.name for each in tmp_path.rglob("*")}
    assert {"config.yml", "state.db", "plan.json", "state.json", "tokens", "config"} <= names


def _typed(folder: Path, text: str) -> Path:
    """A private file that holds what somebody types."""
    path = folder / "typed"
    path.touch(0o600)
    path.write_text(text)
    return path
