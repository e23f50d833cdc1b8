"""Histories for rules: facts placed on a stream as the store would, without a database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from ledger import codec
from ledger.codec import Actor, Fact, Place, Recorded

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACTOR = Actor(key="key_test", role="institution", request="req_test")
TENANT = "inst_aaaaaaaaaaaaaaaaaaaaaaaaaa"


def fixed(size: int) -> bytes:
    """A `draw` that is the same every time."""
    return bytes(i % 256 for i in range(size))


def placed(
    stream: str, facts: Sequence[Fact], history: Sequence[Recorded] = (), *, tenant: str = TENANT
) -> list[Recorded]:
    """The history with these facts appended, each as a command of its own."""
    whole = list(history)
    for number, fact in zip(count(len(whole) + 1), facts, strict=False):
        command = UUID(int=number)
        place = Place(tenant=tenant, stream=stream, version=number, command=command, ordinal=0, actor=ACTOR)
        row = codec.encode(fact, place, fixed)
        whole.append(
            Recorded(
                log_id=0,
                position=number,
                stream=stream,
                version=number,
                command_id=command,
                topic=row.topic,
                recorded_at=NOON + timedelta(seconds=number),
                leaf=row.leaf,
                state=row.state,
            )
        )
    return whole
