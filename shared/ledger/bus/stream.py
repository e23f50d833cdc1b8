"""The stream LEDGER, whose sequence is the ledger's position, and the two ways to publish into it.

Every message carries `Nats-Expected-Last-Sequence`, so the stream itself keeps order and exactly-once: a publish that
does not fit is refused, and then so is everything behind it.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

import msgspec
from nats.aio.msg import Msg

from ledger.bus.connection import AWAY, ApiError, Bus
from ledger.bus.headers import leaf_of
from ledger.errors import Unavailable

NAME = "LEDGER"
NO_STREAM = 10059
FULL = (10047, 10077)
ACK_SECONDS = 2.0
BATCH_SECONDS = 10.0
DUPLICATE_WINDOW_SECONDS = 120
NO_ANSWER = "JetStream does not answer."
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
    """The stream did not take a message where it belongs (its `err_code`, or 503 where no stream is): look again what
    it holds."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code


async def create(bus: Bus, first: int = 1) -> int:
    """Make the stream, whose first message will be position `first`, and say its last sequence."""
    info = await bus.api(f"STREAM.CREATE.{NAME}", {**CONFIG, "first_seq": first})
    last: int = info["state"]["last_seq"]
    return last


async def last_sequence(bus: Bus) -> int:
    """The last sequence that the stream holds; it is made when missing. Raises Unavailable, ApiError."""
    try:
        info = await bus.api(f"STREAM.INFO.{NAME}")
    except ApiError as error:
        if error.code != NO_STREAM:
            raise
        return await create(bus)
    last: int = info["state"]["last_seq"]
    return last


async def leaf_at(bus: Bus, sequence: int) -> bytes | None:
    """The leaf in the message at a sequence, None when it is not there (any more)."""
    found = await bus.ask(f"$JS.API.DIRECT.GET.{NAME}", msgspec.json.encode({"seq": sequence}), ACK_SECONDS)
    headers = {name.lower(): value for name, value in (found.headers or {}).items()}
    return leaf_of(headers["ce-leaf"]) if "ce-leaf" in headers else None


async def publish_singles(bus: Bus, messages: Sequence[Message]) -> int:
    """Publish one by one without waiting in between; the last sequence when every ack came.

    Raises Rejected, and Unavailable when an ack did not come: then nobody knows what the stream took.
    """
    client, loop = bus.client, asyncio.get_running_loop()
    waiting: dict[int, asyncio.Future[Msg]] = {m.position: loop.create_future() for m in messages}
    inbox = client.new_inbox()  # of this call alone: a late ack of an earlier call finds nobody

    async def acked(message: Msg) -> None:
        future = waiting.get(int(message.subject.rpartition(".")[2]))
        if future is not None and not future.done():
            future.set_result(message)

    async def every_ack() -> None:
        for position, future in waiting.items():
            _check_ack(await future, position)

    subscription = None
    try:
        subscription = await client.subscribe(f"{inbox}.*", cb=acked)
        for message in messages:
            headers = message.all_headers(message.position - 1)
            await client.publish(message.subject, message.body, reply=f"{inbox}.{message.position}", headers=headers)
        await bus.awaited(every_ack(), ACK_SECONDS, NO_ANSWER)
    except AWAY as error:
        raise Unavailable(NO_ANSWER) from error
    finally:
        if subscription is not None:
            with suppress(*AWAY):
                await subscription.unsubscribe()
    return messages[-1].position


async def publish_batch(bus: Bus, messages: Sequence[Message]) -> int:
    """Publish 2 to 1,000 messages as one atomic batch (NATS ADR-50): the stream takes all or none.

    The first and the last are requests; the first alone may name the sequence that must precede. Raises Rejected and
    Unavailable, as above.
    """
    batch, last = uuid4().hex, len(messages)
    for number, message in enumerate(messages, 1):
        headers = message.all_headers(message.position - 1 if number == 1 else None)
        headers |= {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
        if number == 1:
            opened = await bus.ask(message.subject, message.body, ACK_SECONDS, headers)
            if opened.data:  # an empty answer is a yes
                _check_ack(opened, message.position)
        elif number < last:
            try:
                await bus.client.publish(message.subject, message.body, headers=headers)
            except AWAY as error:
                raise Unavailable(NO_ANSWER) from error
        else:
            headers["Nats-Batch-Commit"] = "1"
            _check_ack(await bus.ask(message.subject, message.body, BATCH_SECONDS, headers), message.position)
    return messages[-1].position


def _check_ack(answer: Msg, position: int) -> None:
    if not answer.data:  # the server's own status: no responders
        raise Rejected(503, "no stream takes it")
    ack = msgspec.json.decode(answer.data)
    if "error" in ack:
        raise Rejected(ack["error"].get("err_code", 0), ack["error"].get("description", ""))
    if ack.get("seq") != position:
        raise Rejected(0, f"position {position} became sequence {ack.get('seq')}")
