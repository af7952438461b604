"""The bot as a program: its settings first, then what it serves."""

import sys

from serving import Stop, run_program
from settings import Settings, load_settings, require


def load_bot_settings() -> Settings:
    settings = load_settings()
    require(settings, "BOT_TOKEN")
    return settings


async def serve(settings: Settings, stop: Stop) -> int:
    from bot_serving import serve_bot  # noqa: PLC0415 - seconds, which a wrong setting and Ctrl-C do not wait for

    return await serve_bot(settings, stop)


if __name__ == "__main__":
    sys.exit(run_program(serve, load_bot_settings))
