"""An event as the history tells it: one line of `GET /v1/events` and of `credledger replay`.

With `envelope`, `nonce` and `document_commitment` a reader recomputes the leaf (`ledger.codec`); nothing personal is in
it.
"""

from typing import Any

import msgspec

from ledger import ids
from ledger.codec import Recorded, format_time
from ledger.events import public_form


class EventLine(msgspec.Struct, frozen=True, kw_only=True):
    """One event. `type` is its topic, `time` when it holds in the world, `recorded_at` when this ledger knew; `data` is
    its public form, `envelope` what the leaf commits to; `test` marks a sandbox's event. `leaf`, `nonce` (r1) and
    `document_commitment` (c_pub) are base64."""

    position: int
    type: str
    stream: str
    version: int
    id: str
    tenant: str
    test: bool
    time: str
    recorded_at: str
    data: dict[str, Any]
    envelope: dict[str, Any]
    leaf: bytes
    nonce: bytes
    document_commitment: bytes


def line_of(recorded: Recorded) -> EventLine:
    """The event as its line."""
    return EventLine(
        position=recorded.position,
        type=recorded.topic,
        stream=recorded.stream,
        version=recorded.version,
        id=recorded.id,
        tenant=recorded.tenant,
        test=ids.is_sandbox(recorded.tenant),
        time=format_time(recorded.at),
        recorded_at=format_time(recorded.recorded_at),
        data=public_form(recorded.event),
        envelope=recorded.envelope,
        leaf=recorded.leaf,
        nonce=recorded.state[:32],
        document_commitment=recorded.state[32:64],
    )
