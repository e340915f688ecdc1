"""What every test may ask for comes with the package: see rsspot.testing."""

import gc
import os
import signal
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from support.amount import amount
from support.ledger_backends import BACKENDS, databases
from support.postgres import close_shared_server

# Nothing that is imported and collected becomes garbage before the end, and looking for it takes a third of the time.
gc.disable()

# Ctrl-C is ignored by what a shell starts in the background, a hang-up by what `nohup` starts, and by all that these
# start in turn.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Prices rise at other hours than a test is run at. Whoever wants to see that asks for it.
os.environ["RSSPOT_SANDBOX_START"] = "2026-09-21T06:00:00+00:00"

# How long an example takes says how busy the machine is.
settings.register_profile(
    "any machine", max_examples=amount(40, 400), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was collected here and imported for it, which lives until the end anyway."""
    gc.collect()
    gc.freeze()
    # A test leaves little behind; looking for it as often as usual takes a twelfth of the time.
    gc.set_threshold(20_000)
    gc.enable()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much of what is enumerated was gone through: the sums of what tests counted with `record_property`."""
    counts: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        counts.update({name: number for name, number in report.user_properties if isinstance(number, int)})
    for name, number in sorted(counts.items()):
        terminalreporter.write_line(f"{number:,} {name}")


def pytest_unconfigure() -> None:
    """Stop the database server that tests may have started."""
    close_shared_server()


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Has the test run for each sort of ledger: `support.ledger_backends.databases` makes it then."""
    with databases.of(request.param):
        yield request.param
