"""Finds the order that a person means, by whatever id he has at hand."""

import re
from typing import Annotated, Final

import typer

from admin.console import Refused
from store.order_story import OrderStories

OrderName = Annotated[
    str, typer.Argument(metavar="ORDER", help="an order, a video, a workflow or a KIE task, by its id")
]

_NAMED: Final = re.compile(r"(?:order-|resend-)?([0-9a-f]{20})(?:-v\d+)?(?:-a\d+)?")


def order_id_in(text: str) -> str | None:
    """What says by itself which order it belongs to."""
    named = _NAMED.fullmatch(text.strip().lower())
    return named[1] if named else None


async def find_order(stories: OrderStories, text: str) -> str:
    """Raise Refused."""
    found = order_id_in(text) or await stories.order_of_kie_task(text.strip())
    if found is None:
        raise Refused(
            f"{text!r} is no order, video, workflow or KIE task of ours:"
            " an order's id is 20 of 0-9 and a-f, and stands in its workflow's id"
        )
    return found
