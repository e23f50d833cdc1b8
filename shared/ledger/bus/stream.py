"""The stream LEDGER, whose sequence is the ledger's position, and the two ways to publish into it.

Every message carries `Nats-Expected-Last-Sequence`, so the stream itself keeps order and exactly-once: a publish that
does not fit is refused, and then so is everything behind it.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import msgspec
from nats.aio.msg import Msg

from ledger.bus.connection import AWAY, ApiError, Bus
from ledger.bus.headers import leaf_of
from ledger.errors import Unavailable

NAME = "LEDGER"
NO_STREAM, NO_MESSAGE = 10059, 10037
FULL = (10047, 10077)
ACK_SECONDS = 2.0
BATCH_SECONDS = 10.0
DUPLICATE_WINDOW_SECONDS = 120
CONFIG: dict[str, Any] = {
    "name": NAME,
    "subjects": ["ledger.>"],
    "storage": "file",
    "retention": "limits",
    "discard": "new",
    "max_age": 0,
    "max_msgs": -1,
    "max_bytes": -1,
    "deny_delete": True,
    "deny_purge": True,
    "allow_direct": True,
    "allow_atomic": True,
    "duplicate_window": DUPLICATE_WINDOW_SECONDS * 1_000_000_000,
    "num_replicas": 1,
}


class Message(msgspec.Struct, frozen=True):
    """An event on its way out: the sequence it must get is its position."""

    position: int
    subject: str
    headers: dict[str, str]
    body: bytes

    def all_headers(self, last: int | None) -> dict[str, str]:
        """With the guards; `last` is the sequence that must precede, None inside a batch."""
        guards = {"Nats-Msg-Id": str(self.position), "Nats-Expected-Stream": NAME}
        if last is not None:
            guards["Nats-Expected-Last-Sequence"] = str(last)
        return {**self.headers, **guards}


class Rejected(Exception):
    """The stream did not take a message where it belongs: look again what it holds."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code


async def last_sequence(bus: Bus) -> int:
    """The last sequence that the stream holds; it is made when missing, from the first event on. Raises Unavailable."""
    try:
        info = await bus.api(f"STREAM.INFO.{NAME}")
    except ApiError as error:
        if error.code != NO_STREAM:
            raise
        info = await bus.api(f"STREAM.CREATE.{NAME}", CONFIG)
    last: int = info["state"]["last_seq"]
    return last


async def leaf_at(bus: Bus, sequence: int) -> bytes | None:
    """The leaf in the message at a sequence, None when it is not there (any more)."""
    try:
        found: Msg = await bus.client.request(
            f"$JS.API.DIRECT.GET.{NAME}", msgspec.json.encode({"seq": sequence}), timeout=ACK_SECONDS
        )
    except AWAY as error:
        raise Unavailable("JetStream does not answer.") from error
    headers = {name.lower(): value for name, value in (found.headers or {}).items()}
    return leaf_of(headers["ce-leaf"]) if "ce-leaf" in headers else None


async def publish_singles(bus: Bus, messages: Sequence[Message]) -> int:
    """Publish one by one without waiting in between; the last sequence when every ack came. Raises Rejected."""
    client, waiting = bus.client, {m.position: asyncio.get_running_loop().create_future() for m in messages}
    inbox = client.new_inbox()  # of this call alone: a late ack of an earlier call finds nobody

    async def acked(message: Msg) -> None:
        future = waiting.get(int(message.subject.rpartition(".")[2]))
        if future is not None and not future.done():
            future.set_result(message)

    subscription = await client.subscribe(f"{inbox}.*", cb=acked)
    try:
        for message in messages:
            headers = message.all_headers(message.position - 1)
            await client.publish(message.subject, message.body, reply=f"{inbox}.{message.position}", headers=headers)
        async with asyncio.timeout(ACK_SECONDS):
            for position, future in waiting.items():
                _check_ack(await future, position)
    except AWAY as error:
        raise Unavailable("JetStream does not answer.") from error
    finally:
        if client.is_connected:
            await subscription.unsubscribe()
    return messages[-1].position


async def publish_batch(bus: Bus, messages: Sequence[Message]) -> int:
    """Publish at most 1,000 messages as one atomic batch (NATS ADR-50). Raises Rejected."""
    client, batch = bus.client, uuid4().hex
    try:
        for number, message in enumerate(messages, 1):
            last = message.position - 1 if number == 1 else None
            headers = {**message.all_headers(last), "Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
            if number == len(messages):
                headers["Nats-Batch-Commit"] = "1"
                answer = await client.request(message.subject, message.body, timeout=BATCH_SECONDS, headers=headers)
                _check_ack(answer, message.position)
            elif number == 1:
                answer = await client.request(message.subject, message.body, timeout=ACK_SECONDS, headers=headers)
                if answer.data:
                    _check_ack(answer, message.position)
            else:
                await client.publish(message.subject, message.body, headers=headers)
    except AWAY as error:
        raise Unavailable("JetStream does not answer.") from error
    return messages[-1].position


def _check_ack(answer: Msg, position: int) -> None:
    if not answer.data:
        raise Rejected(503, "no stream takes it")
    ack = msgspec.json.decode(answer.data)
    if "error" in ack:
        raise Rejected(ack["error"].get("err_code", 0), ack["error"].get("description", ""))
    if ack.get("seq") != position:
        raise Rejected(0, f"position {position} became sequence {ack.get('seq')}")
