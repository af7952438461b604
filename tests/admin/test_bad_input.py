"""What is missing or wrong is one sentence on stderr and an exit code: never a stack trace."""

import asyncio
import base64
from datetime import timedelta

import pytest

from admin.doctor_database import clock_finding
from admin.findings import Level
from admin.timeline import clock
from domain.clock import utc_now
from domain.payload_keys import KEY_BYTES
from local.postgres import PostgresServer
from local.temporal import TemporalServer
from store.database import Database
from tests.admin.operator import NO_TEMPORAL, Operator
from tests.run.programs import Ended

NO_DATABASE = {"DATABASE_URL": "postgresql://127.0.0.1:9/none", "TEMPORAL_ADDRESS": NO_TEMPORAL}


def one_sentence(told: Ended) -> str:
    assert told.code in {1, 2}, told
    assert told.out == "", told
    assert told.err.count("\n") == 1, told.err
    return told.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("order", "0" * 20),
        ("stuck", "--json"),
        ("keys",),
        ("refund-payment", "c", "--yes"),
        ("cancel", "x", "--yes"),
    ],
)
async def test_a_server_that_is_away_is_named(arguments: tuple[str, ...]) -> None:
    told = one_sentence(await Operator(NO_DATABASE).says(*arguments))
    assert told == "cannot go on without PostgreSQL at 127.0.0.1:9/none (nobody listens there)\n"


async def test_an_old_schema_is_named_with_what_to_do(postgres_server: PostgresServer) -> None:
    await postgres_server.create_database("empty")
    operator = Operator({**NO_DATABASE, "DATABASE_URL": postgres_server.program_url("empty")})
    told = one_sentence(await operator.says("user", "5"))
    migrating = await operator.says("migrate")
    await postgres_server.drop_database("empty")
    assert "the database schema (0001.initial, 0002.paid" in told
    assert told.endswith("run admin_main.py setup\n")
    pending = one_sentence(migrating)
    assert pending.startswith("the login of DATABASE_URL cannot change the tables (")
    assert pending.endswith("set DATABASE_OWNER_URL to the login that owns them\n")


async def test_another_payload_key_of_the_same_name_is_named(
    operator: Operator, owner_url: str, temporal_server: TemporalServer
) -> None:
    """What runs could not be read any more; nothing is written over."""
    where = {"TEMPORAL_ADDRESS": temporal_server.address, "TEMPORAL_NAMESPACE": "two-keys-of-one-name"}
    settings = {**operator.settings, **where, "DATABASE_OWNER_URL": owner_url}
    first, second = (f"k1:{base64.b64encode(letter * KEY_BYTES).decode()}" for letter in (b"a", b"b"))
    assert (await Operator({**settings, "TEMPORAL_PAYLOAD_KEY": first}).says("setup")).code == 0
    told = await Operator({**settings, "TEMPORAL_PAYLOAD_KEY": second}).says("setup")
    assert (told.code, told.err.count("\n")) == (1, 1), told
    assert "the key 'k1' of TEMPORAL_PAYLOAD_KEY is not the one it was; put the earlier key back" in told.err
    assert (await Operator({**settings, "TEMPORAL_PAYLOAD_KEY": first}).says("setup")).code == 0


async def test_rights_that_were_taken_away_are_named(database_url: str, owner_url: str) -> None:
    owner = await Database.connect(owner_url)
    async with owner.connection() as connection:
        await connection.execute("revoke select on orders from neurocards_app")
    await owner.close()
    told = one_sentence(await Operator({**NO_DATABASE, "DATABASE_URL": database_url}).says("order", "0" * 20))
    assert "the database tables orders: not there, or closed to" in told
    assert "run admin_main.py setup" in told
    assert told.endswith("ask admin_main.py doctor\n")


async def test_a_wrong_setting_or_argument_ends_with_2() -> None:
    setting, argument = await asyncio.gather(
        Operator({**NO_DATABASE, "TEMPORAL_ADDRESS": "nonsense"}).says("doctor"),
        Operator(NO_DATABASE).says("keys", "block", "key1", "--hours", "0"),
    )
    assert (setting.code, argument.code) == (2, 2)
    assert one_sentence(setting).startswith("TEMPORAL_ADDRESS: is not host:port")
    assert "Traceback" not in argument.err


@pytest.mark.parametrize(
    ("off_seconds", "level"), [(0, Level.OK), (5, Level.WARNING), (-5, Level.WARNING), (240, Level.WRONG)]
)
def test_a_clock_that_is_off_is_said(off_seconds: float, level: Level) -> None:
    now = utc_now()
    found = clock_finding(now + timedelta(seconds=off_seconds), now, now)
    assert found.level is level
    assert f"{abs(off_seconds):.1f} s" in found.said


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (247, "4:07"), (3_723, "1:02:03"), (-5, "-0:05")]
)
def test_times_are_told_after_the_tap(seconds: float, shown: str) -> None:
    assert clock(timedelta(seconds=seconds)) == shown
