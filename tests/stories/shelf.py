"""What a story is, how it has to end, and the shelf that all of them stand on."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.stories.world import Facts, Play


@dataclass(frozen=True)
class Story:
    """`expected` is what `play` has to return, to the letter.

    Those of one phase are played together: whoever kills or stops a program has a phase of its own.
    """

    name: str
    expected: str
    play: Play
    phase: int = 1

    @property
    def marker(self) -> str:
        return "story" + "".join(part.capitalize() for part in self.name.split() if part.isalnum())


BOOK: list[Story] = []


def story(name: str, expected: str, phase: int = 1) -> Callable[[Play], Play]:
    def add(play: Play) -> Play:
        BOOK.append(Story(name, expected, play, phase))
        return play

    return add


def ended(
    videos: int,
    balance: int,
    orders: int = 1,
    captured: int | None = None,
    refunded: int = 0,
    kie_tasks: int | None = None,
) -> str:
    tasks = videos if kie_tasks is None else kie_tasks
    return str(Facts(videos, orders, videos if captured is None else captured, refunded, balance, 0, tasks))


@dataclass
class Played:
    story: Story
    seen: str = ""
    seconds: float = 0.0
    error: str = field(default="")

    @property
    def right(self) -> bool:
        return self.seen == self.story.expected
