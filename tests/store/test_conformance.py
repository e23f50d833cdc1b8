"""The `eventsourcing` library's own test cases, passed by our store; and its stock recorder, reading our log."""

from collections.abc import Iterator
from typing import Any

import pytest
from eventsourcing.persistence import ApplicationRecorder, PersistenceError
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from eventsourcing.tests.persistence import ApplicationRecorderTestCase, NonInterleavingNotificationIDsBaseCase
from tests.conftest import Database
from tests.servers import PASSWORD, PostgresServer
from tests.store.builders import NOON, event, wish
from tests.store.recorder import Recorder

from ledger import codec
from ledger.codec import Fact
from ledger.store import Store


class _Ours:
    """Gives a test case of the library a recorder over a fresh database."""

    @pytest.fixture(autouse=True)
    def _recorder(self, database: Database) -> Iterator[None]:
        self.recorder = Recorder(database.issuance)
        yield
        self.recorder.close()

    def create_recorder(self) -> ApplicationRecorder:
        return self.recorder


class TestApplicationRecorder(_Ours, ApplicationRecorderTestCase[Any]):
    """The library's contract of a recorder, contiguous ids included."""

    EXPECT_CONTIGUOUS_NOTIFICATION_IDS = True


class TestNonInterleavingNotificationIDs(_Ours, NonInterleavingNotificationIDsBaseCase):
    """Two racing batches do not interleave: whoever follows by id misses nothing."""


async def test_the_stock_recorder_replays_our_log_through_the_view_and_cannot_write(
    database: Database, postgres_server: PostgresServer
) -> None:
    store = await Store.open(database.issuance)
    facts = [Fact(event=event(f"k{i}"), at=NOON) for i in range(3)]
    await store.decide("access/k", lambda _: facts, wish=wish("one"))
    rows = await store.read(0)
    await store.close()
    codec.register_topics()

    name = database.url.rpartition("/")[2]
    with PostgresDatastore(
        name, "127.0.0.1", postgres_server.port, "registry", PASSWORD, schema="ledger", originator_id_type="text"
    ) as datastore:
        stock = PostgresApplicationRecorder(datastore, events_table_name="stored_events")
        notifications = stock.select_notifications(start=None, limit=10)
        stored = stock.select_events("access/k")

        assert [n.id for n in notifications] == [1, 2, 3]
        assert stock.max_notification_id() == 3
        assert [codec.to_domain_event(s) for s in stored] == [r.event for r in rows]
        with pytest.raises(PersistenceError):
            stock.insert_events(stored)
