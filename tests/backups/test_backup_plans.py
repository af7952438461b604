"""Which base backup and which WAL a restore takes, what is missing, and what is thrown away."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from backups.programs import Server
from backups.recovering import url_on
from domain.backups import (
    BaseBackup,
    CannotRestore,
    History,
    KeptSegment,
    Line,
    Segment,
    choose_base,
    has_hole,
    outdated,
    outdated_wal,
    plan_restore,
    position_of,
)

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def base(days_ago: int = 0, number: int = 10, timeline: int = 1) -> BaseBackup:
    at = NOON - timedelta(days=days_ago)
    start = Segment(timeline, number)
    return BaseBackup(f"{at:%Y%m%d}", "7", start, start, at - timedelta(minutes=1), at, 1)


def kept(number: int, *, whole: bool = True, timeline: int = 1, minutes: int = 0) -> KeptSegment:
    segment = Segment(timeline, number)
    return KeptSegment(segment, f"{segment.name}{whole}", NOON + timedelta(minutes=minutes), whole)


def test_a_segment_is_named_as_postgresql_names_it() -> None:
    assert Segment(1, 0x1FF).name == "0000000100000001000000FF"
    assert Segment.named("0000000100000001000000FF") == Segment(1, 0x1FF)
    assert Segment.holding(3, position_of("1/FF000028")) == Segment(3, 0x1FF)
    assert Segment.named("00000002.history") is None


def test_the_newest_that_had_ended_by_then() -> None:
    backups = [base(1), base(0), base(2)]
    assert choose_base(backups, Line(1), None) == base(0)
    assert choose_base(backups, Line(1), NOON - timedelta(hours=1)) == base(1)


def test_before_the_first_there_is_nothing() -> None:
    with pytest.raises(CannotRestore, match="the first moment that can be restored is 2026-11-20 12:00"):
        choose_base([base(1)], Line(1), NOON - timedelta(days=2))
    with pytest.raises(CannotRestore, match="no base backup"):
        plan_restore([], [kept(10)], [], None)


def test_the_wal_after_it_up_to_the_unfinished_one() -> None:
    wal = [kept(12, whole=False), kept(9), kept(11), kept(10), kept(11, whole=False)]
    assert plan_restore([base()], wal, [], None).wal == (kept(10), kept(11), kept(12, whole=False))


def test_without_any_wal_the_base_backup_stands_alone() -> None:
    assert plan_restore([base()], [], [], None).wal == ()


def test_a_hole_is_no_reason_to_stop_early_in_silence() -> None:
    wal = [kept(10), kept(12, minutes=30)]
    with pytest.raises(CannotRestore, match=r"00000001000000000000000B is missing.*before 2026-11-21 12:30"):
        plan_restore([base()], wal, [], None)
    with pytest.raises(CannotRestore):
        plan_restore([base()], wal, [], NOON + timedelta(minutes=31))
    assert plan_restore([base()], wal, [], NOON + timedelta(minutes=29)).wal == (kept(10),)
    assert has_hole(base(), wal)
    assert not has_hole(base(), [*wal, kept(11)])


def test_a_segment_that_was_never_finished_before_others_is_a_hole() -> None:
    with pytest.raises(CannotRestore, match="00000001000000000000000B"):
        plan_restore([base()], [kept(10, whole=False), kept(11, minutes=5)], [], None)


def test_two_are_kept_whatever_their_age() -> None:
    assert outdated([base(15), base(20), base(30)], NOON) == [base(30)]
    assert outdated([base(0), base(1), base(13), base(15)], NOON) == [base(15)]


def test_wal_goes_when_no_kept_base_backup_needs_it() -> None:
    wal = [kept(3), kept(9), kept(10), kept(10, whole=False), kept(11, whole=False)]
    assert outdated_wal(wal, [base(0, 20), base(1, 10)]) == [kept(3), kept(9), kept(10, whole=False)]
    assert outdated_wal([kept(3)], []) == []


# -- after a restore


SECOND = History(2, "1\t0/C000028\tbefore 2026-11-21 11:00:00+00\n\n")
"""Left in the middle of segment 12."""


def test_a_history_says_where_each_timeline_was_left() -> None:
    third = History(3, f"{SECOND.text}2\t0/E0000A0\tno recovery target specified\n")
    assert third.left_at == {1: 0xC000028, 2: 0xE0000A0}
    assert History.named("00000003.history", third.text) == third
    assert History.named(Segment(3, 1).name, "") is None


def test_the_newest_moment_follows_the_line_and_not_the_world_that_is_no_more() -> None:
    dead = [kept(12), kept(13)]
    wal = [
        kept(10),
        kept(11),
        *dead,
        kept(12, timeline=2, minutes=5),
        kept(13, timeline=2, minutes=6, whole=False),
    ]
    plan = plan_restore([base()], wal, [SECOND], None)
    assert [each.segment for each in plan.wal] == [
        Segment(1, 10),
        Segment(1, 11),
        Segment(2, 12),
        Segment(2, 13),
    ]
    assert (plan.line.timeline, plan.histories) == (2, (SECOND,))


def test_a_moment_is_looked_for_on_the_timeline_that_lived_then() -> None:
    wal = [kept(10), kept(11), kept(12, minutes=2), kept(12, timeline=2, minutes=30)]
    before, after = (
        plan_restore([base()], wal, [SECOND], NOON + timedelta(minutes=minutes)) for minutes in (1, 30)
    )
    assert [each.segment for each in before.wal] == [Segment(1, 10), Segment(1, 11), Segment(1, 12)]
    assert before.line.timeline == 1
    assert before.histories == (SECOND,), "else the next timeline would be the second, too"
    assert [each.segment for each in after.wal] == [Segment(1, 10), Segment(1, 11), Segment(2, 12)]


def test_between_two_worlds_nobody_guesses() -> None:
    """The last seconds of the one that was left were never kept: its newest moment can be asked for."""
    wal = [kept(10), kept(11), kept(12, minutes=2), kept(12, timeline=2, minutes=30)]
    said = r"between 2026-11-21 12:02:00.* of timeline 1 .* 12:30:00.* of timeline 2 .*--timeline"
    with pytest.raises(CannotRestore, match=said):
        plan_restore([base()], wal, [SECOND], NOON + timedelta(minutes=20))
    left = plan_restore([base()], wal, [SECOND], None, 1)
    assert [each.segment for each in left.wal] == [Segment(1, 10), Segment(1, 11), Segment(1, 12)]
    known = replace(SECOND, kept_at=NOON + timedelta(minutes=10))
    assert plan_restore([base()], wal, [known], NOON + timedelta(minutes=11)).line.timeline == 2
    with pytest.raises(CannotRestore, match=r"12:02:00.* of timeline 1 .* 12:10:00.* of timeline 2"):
        plan_restore([base()], wal, [known], NOON + timedelta(minutes=9))
    at_twenty = plan_restore([base()], wal, [SECOND], NOON + timedelta(minutes=20), 2)
    assert (at_twenty.line.timeline, at_twenty.to) == (2, NOON + timedelta(minutes=20))
    with pytest.raises(CannotRestore, match="nothing of timeline 3 is kept"):
        plan_restore([base()], wal, [SECOND], None, 3)


def test_a_number_that_was_used_is_not_used_again_though_its_history_was_never_kept() -> None:
    undone = plan_restore([base(), base(1, timeline=3)], [kept(10, minutes=1)], [SECOND], None)
    assert undone.line.timeline == 1
    assert [each.name for each in undone.histories] == ["00000002.history", "00000003.history"]


def test_a_base_backup_of_what_is_no_more_leads_nowhere() -> None:
    beyond = base(number=13)
    wal = [kept(13), kept(12, timeline=2, minutes=5)]
    with pytest.raises(CannotRestore, match=r"no base backup leads to timeline 2 .*before"):
        plan_restore([beyond], wal, [SECOND], None)
    assert plan_restore([beyond], wal, [SECOND], NOON).line.timeline == 1


def test_in_the_segment_where_a_timeline_was_left_the_byte_decides() -> None:
    ended_before, ended_after = (replace(base(number=12), end_position=0xC000000 + at) for at in (0x28, 0x29))
    line = Line(2, SECOND.left_at)
    assert (line.leads_from(ended_before), line.leads_from(ended_after)) == (True, False)
    assert not line.leads_from(base(number=12)), "one of an earlier release does not say"


def test_a_restored_world_of_which_too_little_is_kept_is_a_hole() -> None:
    wal = [kept(10), kept(11), kept(13, timeline=2, minutes=9)]
    with pytest.raises(CannotRestore, match=r"is missing .*before 2026-11-21 12:09"):
        plan_restore([base()], wal, [SECOND], None)


def test_a_login_behind_the_question_mark_goes_along_to_the_recovered_server() -> None:
    url = "postgresql://db:5432/shop?user=ann&password=a%2Fb&sslmode=require"
    assert url_on(7, url) == "postgresql://127.0.0.1:7/shop?user=ann&password=a%2Fb"
    assert url_on(7, "postgresql://ann:x@db/shop?sslmode=require") == "postgresql://ann:x@127.0.0.1:7/shop"


@pytest.mark.parametrize(
    ("url", "address", "password"),
    [
        ("postgresql://ann:a%2Fb@db:5432/shop", "postgresql://ann@db:5432/shop", "a/b"),
        ("postgresql://ann@db/shop?password=a%2Fb", "postgresql://ann@db/shop", "a/b"),
        (
            "postgresql://ann:old@db/shop?password=new&sslmode=require",
            "postgresql://ann@db/shop?sslmode=require",
            "new",
        ),
        ("postgresql://db/shop?sslmode=require&password=it", "postgresql://db/shop?sslmode=require", "it"),
        ("postgresql://ann@db/shop?p%61ssword=a%2Fb", "postgresql://ann@db/shop", "a/b"),
        ("postgresql://ann@db/shop", "postgresql://ann@db/shop", ""),
    ],
)
def test_a_password_is_never_in_an_argument(url: str, address: str, password: str) -> None:
    server = Server.at(url)
    assert (server.address, server.environment.get("PGPASSWORD", "")) == (address, password)
    assert server.replicating().environment == server.environment
