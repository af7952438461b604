"""The books of the outside: what KIE was paid for, and what a user has in his chat.

They know nothing of the rows, and judge what they see.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.models.order_plan import AttemptPlan, Create, End


@dataclass(frozen=True)
class KieTask:
    id: str
    attempt_id: str
    video_id: str
    plan: AttemptPlan
    ends_at: datetime

    def failed_by(self, now: datetime) -> bool:
        return self.plan.end is End.FAIL and now >= self.ends_at


@dataclass
class KieBook:
    """Every create call that reached KIE; a create without an answer forbids the next one."""

    tasks: list[KieTask] = field(default_factory=list)
    unanswered: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def create(self, video_id: str, attempt_id: str, plan: AttemptPlan, now: datetime) -> KieTask | None:
        """None: nothing was bought."""
        earlier = [task for task in self.tasks if task.video_id == video_id]
        if any(not task.failed_by(now) for task in earlier):
            self.complaints.append(f"{attempt_id} was created beside a KIE task that may succeed")
        if video_id in self.unanswered and not any(task.failed_by(now) for task in earlier):
            self.complaints.append(f"{attempt_id} was created after a create without an answer")
        if plan.create in {Create.LOST, Create.LOST_BOUGHT}:
            self.unanswered.add(video_id)
        if plan.create in {Create.LOST, Create.REJECTED}:
            return None
        ends_at = now + timedelta(seconds=plan.seconds)
        task = KieTask(f"task{len(self.tasks) + 1}", attempt_id, video_id, plan, ends_at)
        self.tasks.append(task)
        return task

    def task(self, task_id: str) -> KieTask | None:
        return next((task for task in self.tasks if task.id == task_id), None)


@dataclass
class Chat:
    """What a user sees of one video, and what he was told."""

    copies: int = 0
    refused: int = 0
    blocked: bool = False
    unknown: bool = False
    rung: bool = False
    told_failed: bool = False

    @property
    def may_have_it(self) -> bool:
        return self.copies > 0 or self.blocked or self.unknown
