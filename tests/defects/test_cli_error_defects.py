"""A failing command prints one line on standard error and exits with the code of its kind of failure."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from rsspot.simulator.apiserver.messages import Response
from support.loopback_server import SPEC, failure

RSSPOT = [sys.executable, "-m", "rsspot"]
DEAD = "http://127.0.0.1:9"
NO_RETRIES = {"retry": {"maxRetries": 0}}


def unknown_profile(account, config):
    return ["-p", "nope", "regions", "list"]


def no_token(account, config):
    profile = account.profile()
    del profile["refreshToken"]
    config(default=profile)
    return ["regions", "list"]


def bad_token(account, config):
    config(default={**account.profile(), "refreshToken": "wrong"})
    return ["regions", "list"]


def unreachable_login(account, config):
    config(default={**account.profile(**NO_RETRIES), "oauthUrl": DEAD})
    return ["regions", "list"]


def unreachable_service(account, config):
    config(default={**account.profile(**NO_RETRIES), "baseUrl": DEAD})
    return ["regions", "list"]


def refused_bearer(account, config):
    account.answer("GET .*/regions$", *[failure(401, "Jwt is expired")] * 9)
    return ["regions", "list"]


def unknown_organization(account, config):
    return ["--org", "nope", "cloudspaces", "list"]


def no_such_object(account, config):
    return ["cloudspaces", "get", "nope"]


def delete_of_no_such_object(account, config):
    return ["cloudspaces", "delete", "nope", "--yes"]


def no_such_class(account, config):
    return ["pricing", "get", "nope"]


def taken_name(account, config):
    account.make("cloudspaces", "web", SPEC)
    return ["cloudspaces", "create", "web", json.dumps(SPEC)]


def server_error(account, config):
    config(default=account.profile(**NO_RETRIES))
    account.answer("GET .*/regions$", failure(503, "down for repairs"))
    return ["regions", "list"]


def lost_write(account, config):
    account.answer("POST .*/cloudspaces$", failure(500, "what happened?"))
    return ["cloudspaces", "create", "web", json.dumps(SPEC)]


def forbidden(account, config):
    account.answer("GET .*/regions$", failure(403, "not yours"))
    return ["regions", "list"]


def not_json(account, config):
    os.environ["RSSPOT_MAX_RETRIES"] = "0"
    account.answer("GET .*/regions$", *[Response(200, b"<html>")] * 9)
    return ["regions", "list"]


def not_ready(account, config):
    account.make("cloudspaces", "web", SPEC)
    return ["cloudspaces", "wait", "web", "--timeout", "0"]


def no_terminal(account, config):
    account.make("cloudspaces", "web", SPEC)
    return ["cloudspaces", "delete", "web"]


def invalid_environment(account, config):
    os.environ["RSSPOT_MAX_RETRIES"] = "three"
    return ["regions", "list"]


def invalid_argument(account, config):
    return ["cloudspaces", "create", "web", "[1, 2]"]


def no_file(account, config):
    return ["state", "import", "nope.json"]


def no_run(account, config):
    return ["ledger", "show"]


def no_manifest(account, config):
    return ["plan", "nope.yaml"]


def unknown_command(account, config):
    return ["regionz", "list"]


FAILURES = {
    unknown_profile: 3,
    no_token: 4,
    bad_token: 4,
    unreachable_login: 1,
    unreachable_service: 1,
    refused_bearer: 4,
    unknown_organization: 1,
    no_such_object: 1,
    delete_of_no_such_object: 1,
    no_such_class: 1,
    taken_name: 1,
    server_error: 1,
    lost_write: 11,
    forbidden: 1,
    not_json: 1,
    not_ready: 9,
    no_terminal: 5,
    invalid_environment: 3,
    invalid_argument: 3,
    no_file: 3,
    no_run: 1,
    no_manifest: 3,
    unknown_command: 3,
}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    """Restores the environment variable that a failure sets."""
    monkeypatch.setenv("RSSPOT_MAX_RETRIES", "")


@pytest.mark.defect(10)
@pytest.mark.parametrize(("arrange", "code"), FAILURES.items(), ids=[arrange.__name__ for arrange in FAILURES])
def test_a_failure_prints_one_line_and_has_an_exit_code(account, config, rsspot, arrange, code):
    """Otherwise users read a traceback, and scripts cannot tell failures apart."""
    ended = rsspot(*arrange(account, config))
    assert ended.code == code
    assert ended.out == ""
    first, *rest = ended.err.splitlines()
    assert first.startswith("error: ") and len(first) > len("error: ")
    assert len(rest) <= 1 and all(line.startswith("  hint: ") or line == "nothing was sent" for line in rest)
    assert "Traceback" not in ended.err
    assert "internal error" not in ended.err
    assert "sandbox-refresh-token" not in ended.err


@pytest.mark.defect(10)
@pytest.mark.parametrize(("arrange", "code"), FAILURES.items(), ids=[arrange.__name__ for arrange in FAILURES])
def test_a_failure_is_json_with_json_output(account, config, rsspot, arrange, code):
    """Scripts that read JSON can read the error too; nothing else is printed."""
    ended = rsspot(*arrange(account, config), "-o", "json")
    assert ended.code == code
    error = ended.json["error"]
    assert error["exitCode"] == code
    assert error["message"] and "\n" not in error["message"]
    assert ended.err == ""


@pytest.mark.defect(10)
@pytest.mark.parametrize("arrange", FAILURES, ids=[arrange.__name__ for arrange in FAILURES])
def test_very_verbose_prints_a_traceback_without_credentials(account, config, rsspot, arrange):
    """The output of -vv may be pasted into a bug report."""
    ended = rsspot(*arrange(account, config), "-vv")
    assert ("Traceback" in ended.err) is (arrange is not unknown_command)
    assert "sandbox-refresh-token" not in ended.err + ended.out
    for request in account.requests:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        assert not bearer or bearer not in ended.err + ended.out


@pytest.mark.defect(14)
@pytest.mark.parametrize(
    "line",
    [
        "organizations list --output json",
        "--output json organizations list",
        "organizations --output=json list",
        "organizations -o json list",
        "config explain -o json",
        "events list -o json",
        "regions list -o json --no-color",
        "profiles -p default list -o json",
        "-c CONFIG regions list -o json",
        "regions list -o json -c CONFIG",
    ],
)
def test_global_options_are_accepted_anywhere(account, config_file, rsspot, line):
    """Otherwise the documented commands fail, and users must learn an order."""
    assert rsspot(*line.replace("CONFIG", str(config_file)).split()).json is not None


@pytest.mark.defect(13)
def test_commands_are_recorded_in_the_history(account, rsspot):
    """Otherwise the history stays empty unnoticed."""
    assert rsspot("cloudspaces", "list").code == 0
    assert rsspot("cloudspaces", "get", "nope").code == 1
    assert rsspot("spotnodepools", "list", "-o", "json", "--within", "web").code == 0
    entries = rsspot("history", "list", "-o", "json").json
    commands = [(entry["command"], entry["exit_code"]) for entry in reversed(entries)]
    assert commands[-3:] == [
        ("cloudspaces list", 0),
        ("cloudspaces get nope", 1),
        ("spotnodepools list -o json --within web", 0),
    ] or commands[-2:] == [("cloudspaces get nope", 1), ("spotnodepools list -o json --within web", 0)]
    assert rsspot("history", "clear").code == 0


@pytest.mark.defect(52)
def test_the_history_can_be_read_and_cleared(account, rsspot):
    """Otherwise it is useless."""
    for _ in range(3):
        assert rsspot("organizations", "list").code == 0
    assert len(rsspot("history", "list", "--limit", "2", "-o", "json").json) == 2
    assert rsspot("history", "clear", "-o", "json").json["forgotten"] >= 3
    remaining = rsspot("history", "list", "-o", "json").json
    assert [entry["command"] for entry in remaining] in ([], ["history clear -o json"])


@pytest.mark.defect(41)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.yml", "profiles: {default: [secret-one"),
        ("config.yml", "profiles:\n\t- secret-one"),
        ("config.yml", "- secret-one"),
        ("config.yml", "profiles: secret-one"),
        ("config.yml", "!!python/object/apply:os.system [secret-one]"),
        ("config.json", '{"profiles": secret-one'),
        ("config.toml", "refreshToken = secret-one"),
        ("config.yml", "\x00secret-one"),
        ("config.yml", "&a [*a, secret-one]"),
    ],
)
def test_an_invalid_config_file_is_a_usage_error(home, rsspot, name, text):
    """Otherwise a stray bracket prints a parser's traceback, secrets included."""
    file = home / ".config" / "rsspot" / name
    file.parent.mkdir(parents=True)
    file.write_text(text)
    ended = rsspot("regions", "list")
    assert ended.code == 3
    assert str(file) in ended.err
    assert "secret-one" not in ended.err
    assert len(ended.err.splitlines()) <= 2


def start(*arguments: str, **streams: object) -> subprocess.Popen[str]:
    return subprocess.Popen([*RSSPOT, *arguments], text=True, **streams)


def test_a_closed_pipe_is_not_an_error(account, rsspot):
    """`| head -1` is common with long lists."""
    for number in range(1500):
        account.make("cloudspaces", f"c{number:04}-{'x' * 40}", SPEC)
    for output in ("table", "json", "yaml"):
        line = f'"{sys.executable}" -m rsspot cloudspaces list -o {output} | head -1'
        ended = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, timeout=60, check=False)
        assert ended.stderr == ""
        assert len(ended.stdout.splitlines()) == 1


@pytest.mark.parametrize("output", ["table", "json"])
def test_ctrl_c_ends_a_command_at_once(account, config, output):
    """With its own exit code and a one-line message, even while the service does not respond."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        # By itself it would give up after ten minutes.
        config(default={**account.profile(), "baseUrl": url, "oauthUrl": url, "timeout": 600})
        pipe = subprocess.PIPE
        command = start("regions", "list", "-o", output, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)
        silent.settimeout(60)
        with silent.accept()[0] as connection:
            connection.recv(1)
            began = time.monotonic()
            command.send_signal(signal.SIGINT)
            out, err = command.communicate(timeout=60)
    assert command.returncode == 8, err
    assert time.monotonic() - began < 60
    assert "Traceback" not in err
    if output == "json":
        assert json.loads(out)["error"]["exitCode"] == 8
    else:
        assert (out, err) == ("", "error: interrupted\n")


def test_no_prompt_without_a_terminal(account):
    """A confirmation counts as declined, and no login is started."""
    account.make("cloudspaces", "web", SPEC)
    for arguments, code in (
        (["cloudspaces", "delete", "web"], 5),
        (["configure"], 0),
        (["--sandbox", "login"], 3),
    ):
        command = start(*arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        _, err = command.communicate(timeout=60)
        assert (command.returncode, "Traceback" in err) == (code, False), err
    assert account.writes() == []
