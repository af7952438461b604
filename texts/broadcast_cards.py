"""A broadcast, as its users see it."""

import html

from domain.actions import Card


def broadcast(text: str) -> Card:
    """Plain text: what looks like a mark is shown as it was written."""
    return Card(html.escape(text.strip(), quote=False))
