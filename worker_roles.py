"""What a worker can serve, and the settings it then cannot do without."""

from collections.abc import Sequence
from typing import Final

from activities.contracts import TaskQueue
from settings import Settings, load_kie_keys, load_settings, require, require_kie_key

ALL_ROLES: Final = tuple(queue.value for queue in TaskQueue)

NEED_BOT_TOKEN: Final = frozenset({TaskQueue.MEDIA, TaskQueue.TELEGRAM})
NEED_KIE_KEY: Final = frozenset({TaskQueue.KIE, TaskQueue.KIE_CREATE, TaskQueue.MEDIA})
"""The role media asks KIE for a fresh link where one has run out."""
NEED_MEDIA: Final = frozenset(
    {TaskQueue.PROMPTS, TaskQueue.KIE, TaskQueue.KIE_CREATE, TaskQueue.MEDIA, TaskQueue.TELEGRAM}
)


def parse_roles(text: str) -> tuple[TaskQueue, ...]:
    """Raise ValueError with the sentence for whoever typed it."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in ALL_ROLES]
    if unknown or not names:
        raise ValueError(
            f"--role: unknown {', '.join(unknown) or 'nothing'}, choose from {','.join(ALL_ROLES)}"
        )
    return tuple(queue for queue in TaskQueue if queue.value in names)


def load_worker_settings(roles: Sequence[TaskQueue]) -> Settings:
    """Raise WrongSetting for the first that these roles need and have not."""
    settings = load_settings()
    if NEED_BOT_TOKEN.intersection(roles):
        require(settings, "BOT_TOKEN")
    if NEED_KIE_KEY.intersection(roles):
        require_kie_key(load_kie_keys())
    return settings
