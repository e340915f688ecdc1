"""No secret leaks: not to a stream, a log, a file, an error or the repr of an object."""

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
from rsspot.reports.registry import PLAN_FORMATS
from rsspot.simulator.apiserver.messages import Request, Response
from support.isolation import PROXY, REFRESH, USER_DATA, WEBHOOK, LeakScanner, may_hold
from support.loopback_server import failure, write_config

HOOK = f"https://hooks.example.com/{WEBHOOK}"
READ_COMMANDS = [
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
"""Commands that change nothing."""


REPORTS = (
    " ".join(f"--report {name}=plan.{name}" for name in ("text", "md", "html", "json", "yaml", "sarif", "junit")),
    *(f"-o {name}" for name in PLAN_FORMATS),
    "--full --out plan.json",
)
"""Every way to write a plan."""
SHOWN = (*(f"show plan.json --full -o {name}" for name in ("json", *PLAN_FORMATS)), "graph --plan plan.json -o svg")
"""Every way to show one that was saved."""


def build(scanner: LeakScanner, *, machines: bool = False) -> None:
    """Create what the manifests declare, the stack through a saved plan."""
    assert scanner.run("plan stack.yaml --out stack.json") == 0
    assert scanner.run("apply --plan stack.json --yes --wait none") == 0
    if not machines:
        return
    assert scanner.run("apply vms.yaml --yes --wait none -o json") == 0, scanner.outputs[-2:]


def test_commands_leak_no_secret(scanner: LeakScanner) -> None:
    """Every read-only command, in every output format and with -v."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        build(scanner, machines=True)
        for command in READ_COMMANDS:
            for more in (" -v", " -o json", " -o yaml --no-cache"):
                assert scanner.run(command + more) == 0, (command + more, scanner.outputs[-1])
        text = Path("stack.yaml").read_text().replace("1.31.1", "1.32.0")
        for changed in (text.replace("hooks.example", "new.example"), f"{text}\n"):
            Path("stack.yaml").write_text(changed)
            for command in (*(f"plan stack.yaml {more}" for more in REPORTS), *SHOWN, "graph stack.yaml -o svg"):
                assert scanner.run(command) == 0, (command, scanner.outputs[-1])
        for more in ("", " -o json", " -o yaml", " -v"):
            assert scanner.run(f"plan stack.yaml --out plan{len(more)}.json{more}") == 0
        assert scanner.run("apply stack.yaml --yes --wait none -v") == 0
        assert scanner.run("state export --out state.json") == 0
        assert scanner.run("destroy --stack machines --yes --wait none -o json -v") in (0, 7)
    for warning in warned:
        scanner.keep("a warning", str(warning.message))
    assert scanner.leaks(may_hold) == []


POLICIES = """metadata: {name: things}
spec:
  policies:
    - {name: shown, message: M., severity: warn, expression: "double(change.new.spec.webhook) > 1.0"}
    - {name: compared, message: M., severity: warn, expression: "!has(change.new.spec.webhook)"}
    - {name: mapped, message: M., severity: info, expression: "changes.map(c, c.new.spec.webhook)"}
"""
"""Policies that would show a secret in what they say of it."""


def test_drift_and_policies_leak_no_secret(scanner: LeakScanner) -> None:
    """In any format, in what a program is told, and in the results of tests of policies."""
    build(scanner)
    assert scanner.run("cloudspaces patch edge", '{"webhook": "https://other.example/"}') == 0
    Path("tell.py").write_text("import sys; open('told.json', 'w').write(sys.stdin.read())")
    lines = [*(f"drift stack.yaml {more}" for more in (*REPORTS[:-1], "--full -v")), "drift --stack things"]
    for line in lines:
        assert scanner.run(line, "--notify-cmd", f"{sys.executable} tell.py") == 2, (line, scanner.outputs[-1])
    assert json.loads(Path("told.json").read_text())["drifted"][0]["diff"][0]["secret"]
    Path("stack.yaml").write_text(Path("stack.yaml").read_text().replace("metadata: {name: things}\n", POLICIES))
    for more in REPORTS[:-1]:
        assert scanner.run(f"plan stack.yaml {more}") == 5, scanner.outputs[-1]
    Path("mine.test.yaml").write_text("tests: [{name: planned, manifests: [stack.yaml]}]")
    for more in ("--junit results.xml", "-o json"):
        assert scanner.run(f"policy test mine.test.yaml {more}") == 1
    assert scanner.leaks(may_hold) == []


def test_requested_secrets_are_printed_alone(scanner: LeakScanner) -> None:
    """A kubeconfig, or one object with its secrets, and no other secret."""
    build(scanner, machines=True)
    scanner.service.make_ready("edge")
    before = len(scanner.outputs)
    assert scanner.run("cloudspaces kubeconfig edge") == 0
    assert "canary-kubeconfig" in scanner.outputs[-2][1]
    assert scanner.run("cloudspaces get edge --show-secrets -o json") == 0
    assert WEBHOOK in scanner.outputs[-2][1]
    assert scanner.run("vmpools get runners --show-secrets -o yaml") == 0
    assert USER_DATA in scanner.outputs[-2][1]
    requested = scanner.outputs[before:]
    del scanner.outputs[before:]
    for place, text in requested:
        assert REFRESH not in text and PROXY not in text, place
        assert not [token for token in scanner.service.issued if token in text], place
    assert scanner.run("cloudspaces kubeconfig edge --merge-into kubeconfig -v") == 0
    assert Path("kubeconfig").stat().st_mode & 0o077 == 0
    assert scanner.leaks(may_hold) == []


def echo(request: Request) -> list[str]:
    """Every secret in a request, as a faulty service might quote it."""
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    return [text for text in (request.body.decode(errors="replace"), bearer) if text]


BROKEN = {
    "500": failure(500, "what happened?"),
    "403": failure(403, "exceeded quota"),
    "401": failure(401, "Jwt is expired"),
    "html": Response(200, b"<html>"),
}


@pytest.mark.parametrize("sort", BROKEN)
def test_failing_commands_leak_no_secret(scanner: LeakScanner, sort: str) -> None:
    """Their output is pasted into tickets."""
    build(scanner)
    text = Path("stack.yaml").read_text()
    Path("stack.yaml").write_text(text.replace("1.31.1", "1.32.0").replace("hooks.example", "other.example"))
    Path("wrong.yaml").write_text(text.replace("webhook: ", "webhok: "))
    Path("twice.yaml").write_text(text + "---\n" + text)
    scanner.service.answers.append(lambda request: BROKEN[sort] if "cloudspaces" in request.path else None)
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
            scanner.run(line + more)
    spec = json.dumps({"region": "us-central-dfw-2", "kubernetesVersion": "1.31.1", "webhook": HOOK})
    for more in ("", " -o json", " -v"):
        scanner.run(f"cloudspaces create other{more}", spec)
        scanner.run(f"cloudspaces create other{more}", spec.replace("webhook", "webhok"))
        scanner.run(f"cloudspaces create other{more}", spec.replace(f'"{HOOK}"', f'["{HOOK}"]'))
        scanner.run(f"cloudspaces patch edge{more}", json.dumps({"webhook": {"url": HOOK}}))
        scanner.run(f"cloudspaces patch edge{more}", f'{{"webhook": "{HOOK}"')
    # Files that the test wrote itself are not leaks.
    for name in ("wrong.yaml", "twice.yaml"):
        Path(name).unlink()
    assert scanner.leaks(may_hold) == []
    assert any(scanner.codes.values())


QUOTING = {
    "the login": ("POST /oauth/token", "whoami"),
    "a read": ("GET .*regions", "regions list --no-cache"),
    "a create": ("POST .*cloudspaces", "cloudspaces create other"),
    "a kubeconfig": ("POST .*generate-kubeconfig", "cloudspaces kubeconfig edge"),
}


@pytest.mark.parametrize("code", [400, 401, 500])
@pytest.mark.parametrize("name", QUOTING)
def test_a_response_that_quotes_the_request_leaks_no_secret(scanner: LeakScanner, name: str, code: int) -> None:
    """A gateway or a debug build may respond with the request."""
    pattern, line = QUOTING[name]
    assert scanner.run("apply stack.yaml --yes --wait none") == 0
    scanner.service.make_ready("edge")
    for cached in (scanner.folder / "home").rglob("tokens/*.json"):
        cached.unlink()

    def quote(request: Request) -> Response | None:
        quoted = " ".join(echo(request))
        return failure(code, f"cannot: {quoted}") if re.search(pattern, f"{request.method} {request.path}") else None

    scanner.service.answers.append(quote)
    spec = json.dumps({"region": "us-central-dfw-2", "kubernetesVersion": "1.31.1", "webhook": HOOK})
    for more in ("", " -o json", " -v"):
        assert scanner.run(f"{line}{more}", *([spec] if name == "a create" else [])) != 0
    assert scanner.leaks(may_hold) == []


def test_unreachable_urls_leak_no_secret(scanner: LeakScanner) -> None:
    """A proxy URL contains a password, and libraries quote URLs in errors."""
    profile = {**scanner.service.profile(), "proxy": f"http://someone:{PROXY}@127.0.0.1:9", "retry": {"maxRetries": 1}}
    config = scanner.folder / "home" / ".config" / "rsspot" / "config.yml"
    unreachable = {
        "baseUrl": "https://spot.invalid",
        "oauthUrl": "https://login.invalid",
        "feedsUrl": "https://feeds.invalid",
    }
    write_config(config, {"profiles": {"default": {**profile, **unreachable}}})
    for line in ("regions list", "pricing percentiles", "cloudspaces list", "config explain", "whoami"):
        for more in ("", " -o json", " -v"):
            scanner.run(line + more)
    assert scanner.leaks(may_hold) == []


def test_an_invalid_proxy_url_leaks_no_secret(scanner: LeakScanner) -> None:
    """A typo in a URL that contains a password."""
    profile = {**scanner.service.profile(retry={"maxRetries": 0}), "proxy": f"htp:/someone:{PROXY}@127.0.0.1:9"}
    config = scanner.folder / "home" / ".config" / "rsspot" / "config.yml"
    write_config(config, {"profiles": {"default": {**profile, "baseUrl": "https://127.0.0.1:9"}}})
    for more in ("", " -o json", " -v"):
        scanner.run(f"regions list{more}")
    assert not [text for _, text in scanner.outputs if "internal error" in text]
    assert scanner.leaks(may_hold) == []


@pytest.mark.parametrize("setting", ["base_url", "oauth_url"])
def test_a_refused_url_leaks_no_secret(scanner: LeakScanner, setting: str) -> None:
    """Some gateways require a password in the URL itself."""
    with pytest.raises(ConfigError) as raised:
        SpotClient(**{setting: f"http://someone:{PROXY}@example.com"})
    keep_texts(scanner, "an error", raised.value)
    assert scanner.leaks(may_hold) == []


@pytest.mark.parametrize(
    "line", ["regions list -v", "apply stack.yaml --yes --wait none -v", "cloudspaces get nope -v"]
)
def test_debug_output_of_a_process_leaks_no_secret(scanner: LeakScanner, line: str) -> None:
    """With every debugging aid of Python and its libraries enabled."""
    environment = {**os.environ, "PYTHONDEVMODE": "1", "PYTHONASYNCIODEBUG": "1", "HTTPX_LOG_LEVEL": "trace"}
    done = subprocess.run(
        [sys.executable, "-W", "always", "-m", "rsspot", *line.split(), "-v"],
        capture_output=True,
        env=environment,
        timeout=60,
        check=False,
    )
    scanner.keep("standard output", done.stdout)
    scanner.keep("standard error", done.stderr)
    assert done.stdout or done.stderr
    assert scanner.leaks(may_hold) == []


# The SDK


def keep_texts(scanner: LeakScanner, what: str, value: object) -> None:
    """Keep the texts that Python shows for a value."""
    scanner.keep(f"repr of {what}", repr(value))
    scanner.keep(f"str of {what}", str(value))
    scanner.keep(f"format of {what}", f"{value}")


def test_sdk_objects_leak_no_secret(scanner: LeakScanner) -> None:
    """Clients, settings, hooks and errors end up in logs."""
    build(scanner)
    exchanges: list[object] = []
    with SpotClient(hooks=Hooks(after=[exchanges.append])) as client:
        client.organizations.list()
        client.cloudspaces.list()
        keep_texts(scanner, "a client", client)
        keep_texts(scanner, "an async client", client._aio)
        keep_texts(scanner, "settings", client._aio.config)
        keep_texts(scanner, "settings, explained", client._aio.config.explain())
        keep_texts(scanner, "the bearer", client._aio._bearer)
        keep_texts(scanner, "the token", client._aio._bearer.token)
        keep_texts(scanner, "the session", vars(client._aio.session))
        keep_texts(scanner, "exchanges", exchanges)
        keep_texts(scanner, "whoami", client.whoami())
    keep_texts(scanner, "shared clients", get_client())
    close_all_clients()
    assert scanner.leaks(may_hold) == []


@pytest.mark.parametrize(
    "what",
    [
        "options",
        "cloudspace",
        "vmpool",
    ],
)
def test_sdk_values_leak_no_secret(scanner: LeakScanner, what: str) -> None:
    """They may be logged by mistake."""
    build(scanner, machines=True)
    with SpotClient() as client:
        values = {
            "options": lambda: client._aio.config.options,
            "cloudspace": lambda: client.cloudspaces.get("edge"),
            "vmpool": lambda: client.vm_pools.list()[0],
        }
        keep_texts(scanner, what, values[what]())
    assert scanner.leaks(may_hold) == []


SPEC = {"region": "us-central-dfw-2", "kubernetesVersion": "1.31.1"}
UNREACHABLE = {"base_url": "http://127.0.0.1:9", "config": {"profiles": {"default": {"retry": {"maxRetries": 0}}}}}
MISTAKES: list[tuple[dict[str, Any], Callable[[SpotClient], object]]] = [
    ({"profile": "nope"}, lambda client: client),
    ({"refresh_token": REFRESH, **UNREACHABLE}, lambda client: client.regions.list()),
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
"""Options of a client and a call on it. Each fails while a secret is in use."""


def failures() -> Iterator[RsspotError]:
    """The error of each mistake."""
    for options, mistake in MISTAKES:
        with pytest.raises(RsspotError) as raised, SpotClient(**options) as client:
            mistake(client)
        yield raised.value


def test_errors_leak_no_secret(scanner: LeakScanner) -> None:
    """Neither in the message, the traceback, the attributes, the causes nor a pickle."""
    build(scanner)
    for error in list(failures()):
        keep_texts(scanner, type(error).__name__, error)
        scanner.keep("a traceback", "".join(traceback.format_exception(error)))
        scanner.keep("attributes", repr(vars(error)))
        scanner.keep("causes", repr((error.__cause__, error.__context__ if not error.__suppress_context__ else None)))
        scanner.keep("a pickle", pickle.dumps(error, protocol=0))
        scanner.keep("a copy", repr(vars(copy.deepcopy(error))))
    assert scanner.leaks(lambda name, path: may_hold(name, path)) == []


async def test_plans_and_events_leak_no_secret(scanner: LeakScanner) -> None:
    """Neither do recaps, nor the records of the ledger."""
    from rsspot.applier.options import ApplyOptions
    from rsspot.manifests.parse import load
    from rsspot.workflows.reconcile import apply_plan, make_plan

    async with AsyncSpotClient(cache=False) as client:
        plan = await make_plan(client, client.ledger, load([Path("stack.yaml")], environ={}))
        scanner.keep("a saved plan", json.dumps(dump_plan(plan)))
        async for event in apply_plan(client, client.ledger, plan, ApplyOptions(wait="none")):
            keep_texts(scanner, "an event", event)
        for run in client.ledger.runs():
            keep_texts(scanner, "a run", run)
            keep_texts(scanner, "steps", client.ledger.steps(run.id))
            keep_texts(scanner, "attempts", client.ledger.attempts(run.id))
            keep_texts(scanner, "what is owned", client.ledger.owned(run.scope))
    assert scanner.leaks(may_hold) == []


async def test_the_repr_of_a_plan_leaks_no_secret(scanner: LeakScanner) -> None:
    """A custom workflow is likely to log it."""
    from rsspot.manifests.parse import load
    from rsspot.workflows.reconcile import make_plan

    async with AsyncSpotClient(cache=False) as client:
        manifests = load([Path("stack.yaml")], environ={})
        plan = await make_plan(client, client.ledger, manifests)
    keep_texts(scanner, "a plan", plan)
    assert scanner.leaks(may_hold) == []


def test_settings_leak_no_secret(scanner: LeakScanner) -> None:
    """Whatever their source."""
    environ = {"HOME": str(scanner.folder / "home"), "RSSPOT_REFRESH_TOKEN": REFRESH, "RSSPOT_ACCESS_TOKEN": REFRESH}
    for resolved in (resolve(environ=environ), resolve(environ={**environ, "RSSPOT_PROXY": f"http://a:{PROXY}@b:1"})):
        keep_texts(scanner, "settings", resolved)
        keep_texts(scanner, "settings, explained", resolved.explain())
        keep_texts(scanner, "one setting", resolved.settings["refresh_token"])
    assert scanner.leaks(may_hold) == []


# Files


class ModeWatcher:
    """Audit hook that checks the mode of every file below a folder before each system operation."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.on, self.readable, self.checks = folder, False, set(), 0

    def __call__(self, *_: object) -> None:
        if not self.on:
            return
        self.on = False
        try:
            self.checks += 1
            for root, _folders, files in os.walk(self.folder):
                for name in files:
                    try:
                        mode = os.stat(os.path.join(root, name)).st_mode  # noqa: PTH116, PTH118
                    except FileNotFoundError:
                        continue
                    if mode & 0o077:
                        self.readable.add((name, oct(mode & 0o777)))
        finally:
            self.on = True

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Check modes, with an umask that hides no mistake."""
        before = os.umask(0)
        self.on = True
        try:
            yield
        finally:
            self.on = False
            os.umask(before)


def test_every_file_is_created_private(
    scanner: LeakScanner, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file that is readable even briefly can be read by others."""
    for file in ("stack.yaml", "vms.yaml"):
        Path(file).chmod(0o600)
    legacy = home / ".spot_config"
    legacy.write_text((home / ".config" / "rsspot" / "config.yml").read_text())
    legacy.chmod(0o600)
    watcher = ModeWatcher(tmp_path)
    sys.addaudithook(watcher)
    with watcher.watching():
        build(scanner)
        scanner.service.make_ready("edge")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "second"))
        for line, stdin in (
            ("config migrate", ""),
            ("configure --profile new --token-stdin --no-verify", REFRESH),
            ("configure --profile new --region us-central-dfw-2 --no-verify", ""),
            ("profiles use new", ""),
            ("profiles use default", ""),
            ("config set-default region us-central-dfw-2", ""),
            ("organizations list", ""),
            ("cloudspaces kubeconfig edge --merge-into kube/config", ""),
            ("cloudspaces kubeconfig edge --merge-into kube/config", ""),
            ("plan stack.yaml --out plan.json --report html=plan.html --report junit=reports/plan.xml", ""),
            ("state export --out state.json", ""),
            ("state import state.json", ""),
            ("logout", ""),
        ):
            with _stdin_file(tmp_path, stdin).open() as stream:
                monkeypatch.setattr("sys.stdin", stream)
                assert scanner.run(line) == 0, (line, scanner.outputs[-1])
    assert watcher.checks > 200
    assert watcher.readable == set()
    names = {path.name for path in tmp_path.rglob("*")}
    assert {"config.yml", "state.db", "plan.json", "plan.html", "plan.xml", "state.json", "tokens", "config"} <= names


def _stdin_file(folder: Path, text: str) -> Path:
    """A private file with the text of standard input."""
    path = folder / "stdin"
    path.touch(0o600)
    path.write_text(text)
    return path
