"""Real servers for every test that wants one; the fixtures say what each costs."""

from hypothesis import HealthCheck, settings

# The same values on every machine, and none is at fault for a machine that stood still.
settings.register_profile(
    "tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")

pytest_plugins = [
    "tests.fixtures.browser",
    "tests.fixtures.postgres",
    "tests.fixtures.standins",
    "tests.fixtures.temporal",
    "tests.fixtures.units",
]
