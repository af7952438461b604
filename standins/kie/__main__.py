"""`python -m standins.kie`: KIE.AI on this machine."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from standins.kie.app import kie_app
from standins.kie.orders import KieSettings
from standins.server import serve


def parse_keys(text: str) -> dict[str, str]:
    """`key1=acc1,key2=acc1` as a mapping; a key without an account is its own."""
    pairs = [pair.strip().partition("=") for pair in text.split(",") if pair.strip()]
    return {key: account or key for key, _, account in pairs}


def main(
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one")] = 0,
    generation_seconds: Annotated[float, typer.Option(min=0)] = 20,
    callback_retry_seconds: Annotated[float, typer.Option(min=0)] = 5,
    callback_secret: Annotated[str, typer.Option(help="sign callbacks with it")] = "",
    keys: Annotated[str, typer.Option(help="key1=account1,key2=account1")] = "",
    data: Annotated[Path | None, typer.Option(help="where tasks are kept; nowhere if left out")] = None,
    any_key: Annotated[bool, typer.Option("--any-key", help="take keys that are not listed, too")] = False,  # noqa: FBT002 - typer flags are bools
) -> None:
    settings = KieSettings.model_validate(
        {
            "generation_seconds": generation_seconds,
            "callback_retry_seconds": callback_retry_seconds,
            "callback_secret": callback_secret,
        }
    )
    known = parse_keys(keys)
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
    sys.exit(serve(kie_app(settings, known, any_key=any_key or not known, folder=data), host, port))


if __name__ == "__main__":
    typer.run(main)
