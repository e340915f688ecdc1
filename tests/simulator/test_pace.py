"""A world that cannot keep up with its clock: the clock waits and says so, once; requests pay for one slice at most."""

import json

import pytest

from rsspot.simulator.api import TURN, Api
from rsspot.simulator.apiserver.messages import Request
from rsspot.simulator.clock import ManualClock, ScaledClock
from rsspot.simulator.front.control import Control
from rsspot.simulator.front.request_log import RequestLog
from rsspot.simulator.front.ticker import Ticker
from rsspot.simulator.pace import CALM, WORTH_TELLING, Pace
from rsspot.simulator.world import World


class Times:
    """Real and simulated seconds that a test sets."""

    def __init__(self):
        self.real = self.simulated = 0.0

    def pace(self):
        """A pace of these times."""
        return Pace(lambda: self.real, lambda: self.simulated)

    def pass_by(self, real, simulated=0.0):
        """Let time pass."""
        self.real += real
        self.simulated += simulated


@pytest.fixture
def times():
    """Times at zero."""
    return Times()


def test_a_world_that_keeps_up_has_no_news(times):
    """However much it does."""
    pace = times.pace()
    for _ in range(100):
        times.pass_by(1.0, 1000.0)
        pace.note(finished=True)
        assert (pace.news(), pace.is_behind, pace.scale) == ("", False, None)


def test_a_short_wait_is_not_told(times):
    """It is counted, though."""
    pace = times.pace()
    pace.note(finished=False)
    times.pass_by(WORTH_TELLING / 2)
    pace.note(finished=True)
    assert (pace.news(), pace.waited) == ("", WORTH_TELLING / 2)


def test_a_clock_that_waits_is_told_once(times):
    """Not once for each tick or request, and with what the world gets done."""
    pace, told = times.pace(), []
    for _ in range(50):
        pace.note(finished=False)
        times.pass_by(0.05)
        pace.note(finished=True)
        times.pass_by(0.05, 20.0)
        told.append(pace.news())
    (line,) = filter(None, told)
    assert line == "the clock waits, because the world cannot keep up with it: it runs at 200 times real time"
    assert pace.scale == pytest.approx(200.0, rel=0.1)


def test_the_end_of_the_waiting_is_told_after_a_calm(times):
    """And then it can be told again."""
    pace = times.pace()
    for _ in range(2):
        pace.note(finished=False)
        times.pass_by(2 * WORTH_TELLING, 10.0)
        pace.note(finished=True)
        assert pace.news().startswith("the clock waits")
        times.pass_by(CALM / 2, 10.0)
        assert pace.news() == ""
        times.pass_by(CALM / 2, 10.0)
        assert pace.news() == "the clock keeps time again"
        assert (pace.news(), pace.scale) == ("", None)


@pytest.fixture
def busy():
    """An Api whose ticks end after one action, of a world with 20 timers due, and its elapsed time."""
    world, real = World(clock=ScaledClock(scale=0.0, start=1_790_000_000.0)), Times()
    with world.store.transaction():
        for _ in range(20):
            world.after(10.0, "auction", {})
    world.clock.advance(11.0)
    yield Api(world, longest_tick=-1.0, elapsed=lambda: real.real), real
    world.close()


def test_requests_in_a_row_share_one_slice_of_due_work(busy):
    """The others find that one has just ended, and are answered at once; after a turn, the next one pays."""
    api, times = busy
    due = []
    for _ in range(5):
        assert api.handle(Request("GET", "/healthz")).status == 200
        due.append(api.world.store.timers())
    assert len(set(due)) == 1
    times.pass_by(TURN)
    api.handle(Request("GET", "/healthz"))
    api.handle(Request("GET", "/healthz"))
    assert api.world.now < api.world.clock.time()
    assert api.pace.is_behind


def test_the_status_tells_that_the_clock_waits(busy):
    """With how much there is of everything; the page hears the same."""
    api, times = busy
    control = Control(api, RequestLog())
    assert status_of(control)["clock"]["waits"] is False
    api.tick()
    times.pass_by(3.0)
    api.tick()
    told = status_of(control)
    assert (told["clock"]["waits"], told["clock"]["waited"], told["clock"]["reached"]) == (True, 3.0, 0.0)
    assert told["objects"]["counts"]["regions"] == 8
    assert told["timers"] == api.world.store.timers()
    event = next(control.answer(Request("GET", "/simulator/live")).stream)
    assert json.loads(event.removeprefix(b"data: "))["waits"] is True


def test_the_log_tells_once_that_the_clock_waits(busy, capsys):
    """Whoever started the server reads it; requests and further ticks add nothing."""
    api, times = busy
    ticker = Ticker(api)
    for _ in range(4):
        ticker._tick()
        api.handle(Request("GET", "/healthz"))
        times.pass_by(WORTH_TELLING)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("the clock waits, because the world cannot keep up") == len(printed.err.splitlines()) == 1


def status_of(control):
    """The answer to GET /simulator."""
    response = control.answer(Request("GET", "/simulator"))
    assert response.status == 200
    return json.loads(response.body)


def test_a_tick_that_fails_leaves_nothing_of_its_auction_behind():
    """It is rolled back, and the next one does everything again."""
    world = World(clock=ManualClock())
    api = Api(world)
    with world.store.transaction():
        world.after(40.0, "no such action", {"plural": "regions", "namespace": "", "name": "uk-lon-1", "uid": "x"})
        uid = world.store.uid("regions", "", "uk-lon-1")
        world.after(41.0, "no such action", {"plural": "regions", "namespace": "", "name": "uk-lon-1", "uid": uid})
    before = world.store.version()
    world.clock.advance(60.0)
    for _ in range(2):
        with pytest.raises(KeyError):
            api.tick()
        assert (world.store.version(), world.store.fact("market-period", "")) == (before, "")
    world.close()
