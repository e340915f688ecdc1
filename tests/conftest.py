"""What every test may ask for comes with the package: see rsspot.testing."""

import gc
import signal

from hypothesis import HealthCheck, settings

from support.amount import amount

# Ctrl-C is ignored by what a shell starts in the background, and by all that this starts in turn.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says how busy the machine is.
settings.register_profile(
    "any machine", max_examples=amount(40, 400), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was collected here and imported for it, which lives until the end anyway."""
    gc.collect()
    gc.freeze()
