"""An operator in front of admin_main.py, and the orders he looks at."""

import json
from dataclasses import dataclass, field
from typing import Any

from domain import ids
from domain.attempts import TaskState
from domain.clock import utc_now
from domain.failures import Failure, FailureClass, FailureReason
from store.admission import Admission, Granted
from store.database import Database
from tests.fixtures.kie_rows import keys_of
from tests.run.programs import Ended, ended
from tests.store.order_rows import Rows, rows_of

USER = 700_000_001
KLING = "kling-2.6/image-to-video"
SEEDANCE = "bytedance/seedance-1.5-pro"
KEYS = {"KIE_API_KEY_1": "kie-key-one", "KIE_API_KEY_1_ACCOUNT": "alpha", "KIE_API_KEY_2": "kie-key-two"}
NO_TEMPORAL = "127.0.0.1:9"


@dataclass
class Operator:
    """Without a terminal, as scripts and tests are."""

    settings: dict[str, str] = field(default_factory=dict)

    async def says(self, *arguments: str) -> Ended:
        return await ended("admin_main.py", *arguments, settings=self.settings)

    async def reads(self, *arguments: str) -> Any:
        """The JSON; whatever the exit code."""
        told = await self.says(*arguments, "--json")
        return json.loads(told.out)


@dataclass(frozen=True)
class Shop:
    """Rows of a seller, as the programs write them."""

    database: Database
    rows: Rows
    admission: Admission

    @classmethod
    def on(cls, database: Database, welcome_credits: int = 10) -> "Shop":
        admission = Admission(database, utc_now, keys_of("alpha", "beta"), (KLING, SEEDANCE))
        return cls(database, rows_of(database, welcome_credits), admission)

    async def order(self, video_count: int = 1) -> str:
        placement = await self.rows.orders.place(await self.rows.draft(USER, video_count), USER)
        await self.rows.orders.keep_photo(placement.order_id, "photo.jpg", 800, 600)
        await self.rows.orders.keep_scripts(placement.order_id, ["spin it"] * video_count)
        return placement.order_id

    async def attempt(self, video_id: str) -> str:
        answer = await self.admission.request(video_id)
        assert isinstance(answer, Granted)
        return answer.attempt.id

    async def buy(self, video_id: str, kie_task_id: str) -> str:
        """A KIE task that runs."""
        await self.rows.videos.open(video_id)
        attempt_id = await self.attempt(video_id)
        await self.admission.begin_create(attempt_id)
        await self.admission.record_accepted(attempt_id, kie_task_id)
        return attempt_id

    async def fail(self, video_id: str, kie_task_id: str, said: str) -> None:
        attempt_id = await self.buy(video_id, kie_task_id)
        failure = Failure(FailureClass.USER_VIOLATION, FailureReason.CONTENT, "400")
        answer = json.dumps({"code": 200, "data": {"state": TaskState.FAIL.value.lower(), "failMsg": said}})
        await self.admission.record_task_failed(attempt_id, failure, answer, 55)

    async def balance(self) -> tuple[int, int]:
        now = await self.rows.ledger.balance(USER)
        return now.available, now.reserved

    async def deeds(self) -> list[tuple[str, str, str]]:
        """What stands in the audit log: deed, target, who."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                "select action, target, details ->> 'by' as by from admin_actions order by id"
            )
        return [(row["action"], row["target"], row["by"]) for row in rows]

    async def run(self, statement: str, *arguments: Any) -> None:
        async with self.database.connection() as connection:
            await connection.execute(statement, *arguments)


def first_video(order_id: str) -> str:
    return ids.video_id(order_id, 1)
