"""Search one model: `python -m tests.models.search ledger|order EXAMPLES [DATABASE_URL OWNER_URL]`.

Its own program, so that it can run on a copy of the sources with a bug in it; an empty database gets the
schema of that copy. `example NAME` plays one of `order_examples`.
"""

import asyncio
import sys

from store.migrate import login_of, migrate
from tests.models import ledger_search, order_search
from tests.models.searching import options


def main(model: str, wanted: str, *urls: str) -> None:
    if model == "example":
        order_search.play_example(wanted)
    elif model == "order":
        order_search.search(options(int(wanted), shrink=False))
    else:
        database_url, owner_url = urls
        asyncio.run(migrate(owner_url, login_of(database_url)))
        ledger_search.search(database_url, owner_url, options(int(wanted), shrink=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
