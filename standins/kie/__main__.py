"""`python -m standins.kie`: KIE.AI on this machine."""

import sys
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
    credits: Annotated[float, typer.Option(help="of an account nobody has set")] = 100_000,  # noqa: A002 - KIE's word
    keys: Annotated[str, typer.Option(help="key1=account1,key2=account1")] = "",
    any_key: Annotated[bool, typer.Option("--any-key", help="take keys that are not listed, too")] = False,  # noqa: FBT002 - typer flags are bools
) -> None:
    settings = KieSettings.model_validate(
        {
            "generation_seconds": generation_seconds,
            "callback_retry_seconds": callback_retry_seconds,
            "callback_secret": callback_secret,
            "credits": credits,
        }
    )
    known = parse_keys(keys)
    sys.exit(serve(kie_app(settings, known, any_key=any_key or not known), host, port))


if __name__ == "__main__":
    typer.run(main)
