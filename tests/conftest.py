"""What every test may ask for comes with the package: see rsspot.testing."""

from hypothesis import HealthCheck, settings

from support.amount import amount

# How long an example takes says how busy the machine is.
settings.register_profile(
    "any machine", max_examples=amount(40, 400), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
