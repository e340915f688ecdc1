"""Control of the simulator itself, by HTTP and by command: clock, faults, prices."""

import json
import os
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing
from typing import NamedTuple

import pytest

from rsspot.cli.app import run
from support.caller import Caller

CLASS = "ch.vs1.large-ord"


class Ended(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def rsspot(tmp_path, monkeypatch, capsys):
    """Runs a command at a home of its own, with nothing set that leads to a service."""
    for name in [name for name in os.environ if name.startswith(("RSSPOT_", "SPOT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        capsys.readouterr()
        return Ended(run(list(arguments)), *capsys.readouterr())

    return command


def order(url, body, **headers):
    """POST to a control endpoint. Returns the status and the body."""
    data = json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, data, sent, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


@pytest.fixture
def frozen(serve):
    """A client of a simulator whose clock stands still at a known time."""
    _, about, _ = serve("--time-scale", "0", "--start", "2026-08-17T00:00:00Z")
    return Caller(about)


def test_time_stands_still_until_it_is_advanced(frozen, rsspot):
    """A cloudspace becomes ready only after a command advances the clock."""
    frozen.create("prod")
    url = frozen.about["base_url"]
    assert frozen.phase("prod") == ""
    moved = rsspot("simulator", "advance", "1h30m", "--url", url)
    assert (moved.returncode, moved.stdout) == (0, "The simulator clock is now 2026-08-17T01:30:00Z.\n")
    assert frozen.phase("prod") == "NoWinningBids"


def test_commands_under_run_find_the_simulator(environment):
    """RSSPOT_BASE_URL contains its URL."""
    frozen = ["--time-scale", "0", "--start", "2026-08-17T00:00:00Z"]
    program = [sys.executable, "-m", "rsspot", "simulator"]
    line = [*program, "run", *frozen, "--", *program, "advance", "90s"]
    moved = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (moved.returncode, moved.stdout) == (0, "The simulator clock is now 2026-08-17T00:01:30Z.\n")


def test_the_sandbox_is_advanced_by_the_same_command(rsspot):
    """Its time continues where the last command left it."""
    first = rsspot("--sandbox", "simulator", "advance", "1h")
    second = rsspot("--sandbox", "simulator", "advance", "1d")
    assert (first.returncode, second.returncode) == (0, 0)
    days = [int(each.stdout.split("is now ")[1][8:10]) for each in (first, second)]
    assert days[0] != days[1]
    assert first.stdout.split("T")[2][3:] == second.stdout.split("T")[2][3:]


def test_faults_of_a_running_simulator_can_be_changed(frozen, rsspot):
    """A fault can be added, listed, used up and cleared."""
    url = frozen.about["base_url"]
    added = rsspot("simulator", "faults", "--url", url, "--add", "GET regions: 503")
    assert added.stdout == "GET regions: 503\n"
    assert frozen.ask("GET", "/apis/ngpc.rxt.io/v1/regions")[0] == 503
    assert frozen.ask("GET", "/apis/ngpc.rxt.io/v1/regions")[0] == 200
    assert rsspot("simulator", "faults", "--url", url).stdout == "GET regions: 503 (used up)\n"
    assert rsspot("simulator", "faults", "--url", url, "--clear").stdout == ""


def test_prices_of_a_running_simulator_can_be_fixed(frozen, rsspot):
    """And released again."""
    url, path = frozen.about["base_url"], f"/apis/ngpc.rxt.io/v1/serverclasses/{CLASS}"

    def market():
        return frozen.ask("GET", path)[1]["status"]["spotPricing"]["marketPricePerHour"]

    before = market()
    priced = rsspot("simulator", "price", CLASS, "0.25", "--url", url)
    assert priced.stdout == f"{CLASS}: $0.25 per hour\n"
    assert market() == "0.250000"
    assert rsspot("simulator", "price", CLASS, "--url", url).returncode == 0
    assert market() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("advance", "10"), "not a valid duration"),
        (("advance", "10m", "--url", "https://spot.rackspace.com"), "not a simulator on this machine"),
        (("advance", "10m"), "no simulator URL given"),
        (("advance", "10m", "--url", "http://127.0.0.1:1"), "cannot reach the simulator"),
        (("serve", "--start", "noon"), "not a valid time"),
        (("serve", "--start", "2026-08-17T00:00:00"), "no time zone"),
        (("serve", "--rule", "mood=good"), "unknown rule"),
        (("serve", "--fault", "explode"), "explode"),
        (("serve", "--faults", "nowhere.yaml"), "cannot be read"),
        (("serve", "--accounts", "nowhere.yaml"), "cannot be read"),
    ],
)
def test_wrong_arguments_are_usage_errors(rsspot, arguments, message):
    """Exit code 3 and a message; nothing is started and no other server is called."""
    ended = rsspot("simulator", *arguments)
    assert ended.returncode == 3
    assert message in ended.stderr


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("advance", {"seconds": -1}, "seconds must be a finite number that is not negative"),
        ("advance", {"seconds": "soon"}, "invalid request"),
        ("advance", {}, "invalid request"),
        ("advance", [], "invalid request"),
        ("faults", {"fault": "explode"}, "explode"),
        ("price", {"class": "nothing", "price": "1"}, "unknown server class"),
        ("price", {"class": CLASS, "price": "much"}, "'much' is not a price"),
        ("price", {"class": CLASS, "price": "nan"}, "'nan' is not a price"),
        ("price", {"class": CLASS, "price": "-1"}, "'-1' is not a price"),
        ("price", {"class": CLASS, "price": "1e9"}, "'1e9' is not a price"),
        ("faults", {"fault": f"POST x: price {CLASS} nan"}, "'nan' is not a price"),
        ("faults", {"fault": "GET: latency nan"}, "not a number of seconds"),
        ("faults", {"fault": "GET: 503 p nan"}, "invalid fault"),
        ("advance", {"seconds": 1e12}, "ten years at most"),
    ],
)
def test_invalid_requests_are_refused(spot_api, name, body, message):
    """The response is a 400 with a message."""
    status, answer = order(f"{spot_api.url}/simulator/{name}", body)
    assert status == 400
    assert message in answer


def test_other_websites_cannot_send_commands(spot_api):
    """Neither with a form's content type nor through another host name for this machine."""
    url = f"{spot_api.url}/simulator/advance"
    assert order(url, {"seconds": 1}, **{"Content-Type": "text/plain"})[0] == 415
    assert order(url, {"seconds": 1}, Host="evil.example")[0] == 403
    assert order(url, {"seconds": 1}, Host="127.0.0.1.evil.example")[0] == 403


def test_the_page_runs_only_its_own_code(spot_api):
    """Its policy allows only its own script and style, by digest, and nothing is loaded from elsewhere."""
    with urllib.request.urlopen(spot_api.url, timeout=10) as answer:
        policy, html = answer.headers["Content-Security-Policy"], answer.read().decode()
    assert "default-src 'none'" in policy and "unsafe" not in policy and policy.count("sha256-") == 2
    assert "://" not in html.replace("http://www.w3.org/2000/svg", "")


def test_the_request_log_contains_no_secret(frozen):
    """Neither tokens nor codes, for any path."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{frozen.about['base_url']}/activate?user_code=SECR-ETXX", timeout=10)
    refused.value.close()
    frozen.ask("GET", "/apis/ngpc.rxt.io/v1/regions?limit=1")
    with urllib.request.urlopen(f"{frozen.about['base_url']}/simulator/live", timeout=10) as stream:
        line = stream.readline().decode()
    assert "/activate" in line and "limit=1" in line
    assert "SECR" not in line and frozen.token not in line and frozen.about["refresh_token"] not in line


def test_a_world_with_another_layout_is_not_opened(rsspot, tmp_path):
    """A file of an earlier version is refused with a message that suggests a reset, and is left unchanged."""
    folder = tmp_path / ".config" / "rsspot" / "sandbox"
    folder.mkdir(parents=True)
    for file in (folder / "world.db", tmp_path / "old.db"):
        with closing(sqlite3.connect(file)) as old:
            old.execute("CREATE TABLE objects (plural TEXT, body TEXT)")
    sandbox = rsspot("--sandbox", "regions", "list")
    assert sandbox.returncode == 1 and "another version of rsspot" in sandbox.stderr and "reset" in sandbox.stderr
    assert rsspot("--sandbox", "simulator", "advance", "1m").returncode == 1
    served = rsspot("simulator", "serve", "--state", str(tmp_path / "old.db"))
    assert served.returncode == 3 and "another version of rsspot" in served.stderr
    assert rsspot("simulator", "reset").returncode == 0
    assert rsspot("--sandbox", "regions", "list").returncode == 0
