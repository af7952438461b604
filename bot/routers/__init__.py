"""Handlers by subject; the first router that knows the input takes it."""

from aiogram import Router

from bot.routers import after, buying, dialog, fallback, membership, menu


def root_router() -> Router:
    """Commands win over questions, and questions over everything else."""
    root = Router(name="root")
    root.include_routers(
        membership.router(),
        menu.router(),
        buying.router(),
        after.router(),
        dialog.router(),
        fallback.router(),
    )
    return root
