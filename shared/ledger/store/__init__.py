"""The event store over asyncpg: append, read, decide, follow (DESIGN §4).

    store = await Store.open(settings.database_url, secret=settings.server_secret, hint=bus.hint)
    decision = await store.decide(f"standing/{award_id}", rule, wish=wish, reads=[f"award/{award_id}"])

`decide` is one of the four hops of every request: it reads the histories, asks the pure rule for new facts, and
appends them at the version that it read. Facts become visible in position order, without a gap.
"""

from ledger.store.appender import Fenced, Name, Outcome, Request, Row, Status
from ledger.store.store import Decision, NameTaken, Sealer, Store, Wish

__all__ = [
    "Decision",
    "Fenced",
    "Name",
    "NameTaken",
    "Outcome",
    "Request",
    "Row",
    "Sealer",
    "Status",
    "Store",
    "Wish",
]
