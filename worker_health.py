"""What a worker knows of its own readiness."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from temporalio.client import Client
from temporalio.worker import Worker

from serving import database_answers, temporal_answers
from store.database import Database

POLLING = "polling"


@dataclass
class WorkerHealth:
    """What a worker knows of itself; None and empty while it is still starting."""

    database: Database | None = None
    client: Client | None = None
    workers: Sequence[Worker] = field(default_factory=tuple)
    drains: bool = False

    async def waiting_for(self) -> tuple[str, ...]:
        """Nothing, when both servers answer and every queue is polled, which none is once it drains."""
        answers = {
            "PostgreSQL": self.database is not None and await database_answers(self.database),
            "Temporal": self.client is not None and await temporal_answers(self.client),
            POLLING: self.polls,
        }
        return tuple(name for name, answers_ in answers.items() if not answers_)

    @property
    def polls(self) -> bool:
        return not self.drains and bool(self.workers) and all(each.is_running for each in self.workers)
