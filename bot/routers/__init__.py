"""Handlers by subject; the first router that knows the input takes it."""

from aiogram import Router

from bot.routers import (
    admin,
    after,
    buying,
    changes,
    dialog,
    fallback,
    forget,
    library,
    membership,
    menu,
    money,
)


def root_router() -> Router:
    """Pictures with what stands under them, then commands, then answers, then everything else."""
    root = Router(name="root")
    root.include_routers(
        membership.router(),
        dialog.pictures_router(),
        money.router(),
        admin.router(),
        forget.router(),
        menu.router(),
        library.router(),
        buying.router(),
        after.router(),
        changes.router(),
        dialog.router(),
        fallback.router(),
    )
    return root
