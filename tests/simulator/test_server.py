"""The simulator as a process: the ready file, HTTP, signals, state kept in a file, and commands run against it."""

import json
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from support.caller import GROUP, Caller
from support.processes import catches, servers

PATIENCE = 60.0


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server for the tests that neither end it nor list what is there; objects of others have other names."""
    with servers(tmp_path_factory.mktemp("served")) as start:
        yield start()


def test_the_ready_file_has_the_connection_settings(served):
    """It is readable by its owner only."""
    process, about, ready = served
    assert set(about) == {"base_url", "oauth_url", "feeds_url", "refresh_token", "organization", "pid"}
    assert about["pid"] == process.pid
    assert about["base_url"].startswith("http://127.0.0.1:")
    assert stat.S_IMODE(ready.stat().st_mode) == 0o600


def test_requests_are_answered_over_http(served):
    """A token request, a create, a get and a refusal."""
    caller = Caller(served[1])
    status, created = caller.create("prod")
    assert status == 201
    assert caller.ask("GET", f"{caller.cloudspaces}/prod")[1]["metadata"]["uid"] == created["metadata"]["uid"]
    status, result = caller.create("prod")
    assert (status, result["reason"]) == (409, "AlreadyExists")


def test_a_request_without_a_token_is_refused_in_plain_text(served):
    """By the gateway, as in process."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{served[1]['base_url']}{GROUP}/regions", timeout=10)
    with refused.value as answer:
        assert (answer.code, answer.headers["Content-Type"]) == (401, "text/plain")
        assert answer.read() == b"Jwt is missing"


def test_a_watch_is_a_stream_of_lines_with_a_timeout(serve):
    """timeoutSeconds ends it."""
    caller = Caller(serve()[1])
    caller.create("prod")
    url = f"{caller.about['base_url']}{caller.cloudspaces}?watch=true&timeoutSeconds=1"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {caller.token}"})
    with urllib.request.urlopen(request, timeout=10) as stream:
        events = [json.loads(line) for line in stream]
    assert events[0]["type"] == "ADDED"
    assert {event["object"]["metadata"]["name"] for event in events} == {"prod"}


def test_a_body_that_is_too_large_is_not_read_as_requests(served):
    """After a 413 the connection is closed, so the body is not taken for another request."""
    port = int(served[1]["base_url"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        head = "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"
        connection.sendall(head.encode() + b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except (TimeoutError, ConnectionResetError):
            pass
    assert received.startswith(b"HTTP/1.1 413")
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_shuts_the_server_down_cleanly(serve, number):
    """The exit code is 0 and the ready file is removed."""
    process, _, ready = serve()
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    assert not ready.exists()


def test_a_signal_ends_the_server_despite_an_open_watch(serve, stop):
    """An open stream does not delay the shutdown."""
    process, about, _ = serve()
    caller = Caller(about)
    request = urllib.request.Request(f"{about['base_url']}{caller.cloudspaces}?watch=true")
    request.add_header("Authorization", f"Bearer {caller.token}")
    with urllib.request.urlopen(request, timeout=10):
        assert stop(process) == 0


def test_state_is_kept_in_a_file(serve, stop, tmp_path):
    """A second server with the same file has the objects, but its own refresh token."""
    state = str(tmp_path / "world.db")
    process, about, _ = serve("--state", state)
    _, created = Caller(about).create("prod")
    assert stop(process) == 0
    _, again, _ = serve("--state", state)
    caller = Caller(again)
    assert caller.ask("GET", f"{caller.cloudspaces}/prod")[1]["metadata"]["uid"] == created["metadata"]["uid"]
    assert again["refresh_token"] != about["refresh_token"]


def test_time_continues_in_a_world_that_ran_fast(serve, stop, tmp_path):
    """A world whose time is ahead of the machine's does not stand still when reopened."""
    state = str(tmp_path / "world.db")
    process, about, _ = serve("--state", state, "--time-scale", "2000")
    Caller(about).create("prod")
    # A minimum: far enough ahead that real time does not catch up.
    time.sleep(0.2)
    assert stop(process) == 0
    caller = Caller(serve("--state", state, "--time-scale", "20")[1])
    caller.create("second")
    deadline = time.monotonic() + PATIENCE
    while not caller.phase("second"):
        assert time.monotonic() < deadline, "nothing happens in the reopened world"
        time.sleep(0.1)


def test_without_a_state_file_every_server_starts_empty(serve, stop):
    """Its objects are only in memory."""
    process, about, _ = serve()
    Caller(about).create("prod")
    assert stop(process) == 0
    caller = Caller(serve()[1])
    assert caller.ask("GET", caller.cloudspaces)[1]["items"] == []


def run(environment, *command):
    """Run `rsspot simulator run -- command` and return the finished process."""
    line = [sys.executable, "-m", "rsspot", "simulator", "run", "--", *command]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_run_gives_a_command_its_own_simulator(environment):
    """The five variables are set and point to a working API."""
    program = """
import json, os, urllib.request
keys = [key for key in sorted(os.environ) if key.startswith("RSSPOT_")]
form = "grant_type=refresh_token&refresh_token=" + os.environ["RSSPOT_REFRESH_TOKEN"]
with urllib.request.urlopen(os.environ["RSSPOT_OAUTH_URL"] + "/oauth/token", form.encode(), timeout=10) as answer:
    token = json.load(answer)["id_token"]
headers = {"Authorization": "Bearer " + token}
url = os.environ["RSSPOT_BASE_URL"] + "/apis/ngpc.rxt.io/v1/regions"
with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
    print(json.dumps([keys, len(json.load(answer)["items"]) > 0]))
"""
    ended = run(environment, sys.executable, "-c", program)
    assert ended.returncode == 0, ended.stderr
    keys, answered = json.loads(ended.stdout)
    assert set(keys) == {f"RSSPOT_{name}" for name in ("BASE_URL", "OAUTH_URL", "FEEDS_URL", "REFRESH_TOKEN", "ORG")}
    assert answered


@pytest.mark.parametrize(
    ("program", "code"),
    [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 15)", 128 + 15)],
    ids=["exit code", "signal"],
)
def test_run_returns_the_exit_code_of_its_command(environment, program, code):
    """A command ended by a signal gives 128 plus the signal's number, as in a shell."""
    assert run(environment, sys.executable, "-c", program).returncode == code


def test_run_reports_a_command_that_cannot_be_run(environment):
    """The error names the command, without a traceback."""
    ended = run(environment, "no-such-command-anywhere")
    assert ended.returncode not in (0, 1)
    assert "cannot run no-such-command-anywhere" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_run_passes_a_signal_on_to_its_command(environment):
    """It exits after the command, with the same exit code."""
    program = "import signal, time; signal.signal(15, lambda *_: exit(9)); print('on', flush=True); time.sleep(60)"
    line = [sys.executable, "-m", "rsspot", "simulator", "run", "--", sys.executable, "-c", program]
    with subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "on\n"
            catches(process, signal.SIGTERM)
            process.terminate()
            # Both processes hold the pipe, so it closes only after the command has ended too.
            assert process.communicate(timeout=PATIENCE)[0] == ""
            assert process.returncode == 9
        finally:
            process.kill()


def test_a_kubeconfig_of_an_earlier_simulator_is_replaced(serve, stop, tmp_path):
    """By one with the new server's URL."""
    file = tmp_path / "kubeconfig"
    assert stop(serve("--kubeconfig", str(file))[0]) == 0
    before = file.read_text()
    _, about, _ = serve("--kubeconfig", str(file))
    assert file.read_text() != before
    assert about["base_url"].removeprefix("http://") in file.read_text()


def test_another_kubeconfig_is_not_overwritten(environment, tmp_path):
    """It may be the user's only access to their clusters."""
    file = tmp_path / "kubeconfig"
    file.write_text("apiVersion: v1\nkind: Config\ncurrent-context: production\n")
    before = file.read_text()
    line = [sys.executable, "-m", "rsspot", "simulator", "serve", "--kubeconfig", str(file)]
    ended = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 3
    assert "was not written by the simulator" in ended.stderr
    assert file.read_text() == before


def test_a_warning_with_non_ascii_text_is_sent(served):
    """The header is UTF-8 on the wire."""
    caller = Caller(served[1])
    body = {"apiVersion": "ngpc.rxt.io/v1", "kind": "CloudSpace", "metadata": {"name": "warned"}}
    body["spec"] = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1", "\u0100": 1}
    headers = {"Authorization": f"Bearer {caller.token}", "Content-Type": "application/json"}
    url = f"{caller.about['base_url']}{caller.cloudspaces}"
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=10) as answer:
        assert answer.headers["Warning"].encode("latin-1").decode() == '299 - "unknown field \\"spec.\u0100\\""'


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "BREW"])
def test_an_unsupported_method_is_refused_by_the_api(served, method):
    """With a 405 Status instead of the HTTP server's own error."""
    caller = Caller(served[1])
    status, result = caller.ask(method, f"{caller.cloudspaces}/prod")
    assert (status, result["reason"]) == (405, "MethodNotAllowed")
