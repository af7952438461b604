"""`python -m standins.openai`: OpenAI on this machine."""

import argparse
import sys

from standins.openai.app import openai_app
from standins.server import serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="standins.openai", description="OpenAI as a local server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    given = parser.parse_args()
    return serve(openai_app(), given.host, given.port)


if __name__ == "__main__":
    sys.exit(main())
