"""`python -m standins.telegram --host 127.0.0.1 --port 0 --data DIR`."""

import argparse
import sys
import tempfile
from pathlib import Path

from standins.server import serve
from standins.telegram.app import build_app


def main() -> int:
    parser = argparse.ArgumentParser(prog="standins.telegram", description="Telegram as a local server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--data", type=Path, help="where chats and files are kept; nowhere if left out")
    given = parser.parse_args()
    if given.data:
        return serve(build_app(given.data), given.host, given.port)
    with tempfile.TemporaryDirectory(prefix="telegram-standin-") as folder:
        return serve(build_app(Path(folder)), given.host, given.port)


if __name__ == "__main__":
    sys.exit(main())
