"""Real servers for every test that wants one; the fixtures say what each costs."""

pytest_plugins = [
    "tests.fixtures.browser",
    "tests.fixtures.postgres",
    "tests.fixtures.standins",
    "tests.fixtures.temporal",
    "tests.fixtures.units",
]
