"""A clock that is faster than its world: requests get their turn, signals end the server, and time is not lost."""

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from rsspot.cli import simulator_world
from rsspot.cli.simulator_world import CLOSES_WITHIN, WorldOptions, end, open_world, start_server
from rsspot.simulator.api import Api
from rsspot.simulator.clock import ManualClock, ScaledClock
from rsspot.simulator.world import World
from support.caller import GROUP, Caller
from support.processes import catches

PATIENCE = 60.0
CLASS = "ch.vs1.large-ord"


@pytest.fixture
def world():
    """A world with a clock that runs, and with 20 timers due at once."""
    made = World(clock=ScaledClock(scale=0.0, start=1_790_000_000.0))
    with made.store.transaction():
        for _ in range(20):
            made.after(10.0, "auction", {})
    yield made
    made.close()


def test_a_tick_ends_early_and_the_next_one_continues(world):
    """Nothing is left out and nothing done twice; meanwhile, the clock waits."""
    api = Api(world, longest_tick=0.0)
    world.clock.advance(11.0)
    world.clock.scale = 1e9
    assert api.tick() is False
    paused = world.clock.time()
    assert world.now < paused == world.clock.time()
    world.clock.scale = 0.0
    ticks = 1
    while not api.tick():
        ticks += 1
    assert ticks >= 20


def test_short_ticks_make_the_same_history():
    """As one long tick, byte for byte."""
    images = []
    for longest in (None, 0.0):
        world = World(clock=ManualClock())
        api = Api(world, longest_tick=longest)
        world.clock.advance(1800)
        api.catch_up()
        images.append(list(world.store._db.iterdump()))
        world.close()
    assert images[0] == images[1]


def test_a_request_gets_its_turn_between_ticks(world):
    """It waits for a tick, not until the world has caught up with its clock."""
    api = Api(world, longest_tick=0.0)
    world.clock.advance(11.0)
    before = world.store.next_due()
    assert api.set_price(CLASS, None) is None
    api.tick()
    assert world.store.next_due() == before


def test_a_clock_that_is_ahead_can_be_advanced_further(world):
    """A command that advances it returns once everything due by then has run."""
    api = Api(world, longest_tick=0.0)
    world.clock.advance(11.0)
    api.tick()
    world.clock.advance(60.0)
    api.catch_up()
    assert world.now == world.clock.time()


def test_a_busy_world_does_not_keep_the_server_from_ending(monkeypatch):
    """The action in progress is given up; SQLite rolls it back."""
    monkeypatch.setattr(simulator_world, "CLOSES_WITHIN", 0.05)
    server = start_server(open_world(WorldOptions()))
    busy, done = threading.Event(), threading.Event()

    def hold():
        with server.api.world.lock:
            busy.set()
            done.wait(PATIENCE)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert busy.wait(PATIENCE)
        end(server)
        assert server.api.stopping.is_set()
    finally:
        done.set()
        thread.join(PATIENCE)
    assert CLOSES_WITHIN < 1.0
    server.api.world.close()


def test_a_served_world_is_closed_at_the_end(serve, stop, tmp_path):
    """Everything is in the one file, and intact."""
    state = tmp_path / "world.db"
    process, about, _ = serve("--state", str(state))
    Caller(about).create("prod")
    assert stop(process) == 0
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith("world.db")] == ["world.db"]
    assert intact(state)


def intact(state):
    """Whether SQLite finds no damage."""
    with closing(sqlite3.connect(state)) as database:
        return database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def crowded(serve, tmp_path):
    """A server whose world cannot keep up with its clock: 200 pools in one cloudspace, a thousand times real time."""
    state = str(tmp_path / "world.db")
    process, about, _ = serve("--state", state, "--time-scale", "0")
    caller = Caller(about)
    caller.create("prod")
    pools = caller.cloudspaces.replace("cloudspaces", "spotnodepools")
    for number in range(200):
        body = {"apiVersion": GROUP.removeprefix("/apis/"), "kind": "SpotNodePool"}
        body["metadata"] = {"name": f"00000000-0000-4000-8000-{number:012d}"}
        body["spec"] = {"cloudSpace": "prod", "serverClass": CLASS, "desired": 2, "bidPrice": "0.10"}
        status, answer = caller.ask("POST", pools, json.dumps(body).encode())
        assert status == 201, answer["message"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    return serve("--state", state, "--time-scale", "1000000")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_server_that_cannot_keep_up(crowded, tmp_path, number):
    """Requests are answered until then, and the state is consistent after it."""
    process, about, _ = crowded
    caller = Caller(about)
    for _ in range(5):
        assert caller.ask("GET", caller.cloudspaces)[0] == 200
    began = time.monotonic()
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0
    # The promise is two seconds, for which this machine may be too busy. The world would never catch up.
    assert time.monotonic() - began < PATIENCE / 2
    assert intact(tmp_path / "world.db")


@pytest.mark.parametrize("command", ["serve", "run"])
def test_ctrl_c_during_start_up_is_quiet(environment, command):
    """It exits with 8 at once, as in every other command."""
    program = (
        "import os, signal, sys, threading\n"
        "from rsspot.cli.app import run\n"
        "def interrupted(options):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    threading.Event().wait(60)\n"
        "from rsspot.cli import simulator\n"
        "simulator.open_world = interrupted\n"
        f"sys.exit(run(['simulator', '{command}', *sys.argv[1:]]))\n"
    )
    rest = ["--", "true"] if command == "run" else []
    line = [sys.executable, "-c", program, *rest]
    ended = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 8
    assert "Traceback" not in ended.stderr
    assert "interrupted" in ended.stderr


def test_ctrl_c_while_python_imports_is_quiet(environment, tmp_path):
    """Before the command line is even parsed."""
    module = tmp_path / "typer.py"
    module.write_text("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n")
    line = [sys.executable, "-m", "rsspot", "simulator", "serve"]
    shadowed = {**environment, "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(line, env=shadowed, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (ended.returncode, ended.stderr) == (8, "error: interrupted\n")


def test_a_signal_while_the_command_of_run_starts_is_passed_on(environment):
    """The command is not left behind."""
    program = "import signal, time; signal.signal(2, lambda *_: exit(9)); print('on', flush=True); time.sleep(60)"
    line = [sys.executable, "-m", "rsspot", "simulator", "run", "--", sys.executable, "-c", program]
    with subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "on\n"
            catches(process, signal.SIGINT)
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=PATIENCE)[0] == ""
            assert process.returncode == 9
        finally:
            process.kill()
