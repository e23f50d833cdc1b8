"""A ledger with servers of its own, of which everything can be killed."""

import msgspec
from tests.conftest import Database
from tests.running import Running
from tests.servers import NatsServer, PostgresServer

PATIENCE_SECONDS = 60


class Whole(msgspec.Struct):
    """Everything that can be killed."""

    postgres: PostgresServer
    nats: NatsServer
    database: Database
    ledger: Running


def kill_and_start(whole: Whole, victim: str) -> None:
    """SIGKILL one of the five processes, and start it again."""
    if victim == "postgres":
        whole.postgres.kill()
        whole.postgres.start()
    elif victim == "nats":
        whole.nats.kill()
        whole.nats.start()
    else:
        whole.ledger.kill(victim)
        whole.ledger.start(victim)
