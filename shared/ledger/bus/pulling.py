"""Following a stream: an ephemeral ordered pull consumer that asks for more before it runs dry.

nats-py's own `fetch` pulls twice when idle and makes a task a message; this asks for batches on one inbox and reads
the sequence from the reply subject. The consumer keeps no acks: whoever reads knows his position. Whatever says that
the consumer is gone ends the following; a new one costs a request.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import msgspec
from nats.aio.msg import Msg

from ledger.bus.connection import AWAY, Bus
from ledger.errors import Unavailable

BATCH = 1000
EXPIRES_SECONDS = 5
HEARTBEAT_SECONDS = 1
SILENCE_SECONDS = 0.25
LOST_SECONDS = 3.0  # neither message nor heartbeat: the consumer or the server is gone
NANOSECONDS = 1_000_000_000
INACTIVE_SECONDS = 30
HEARTBEAT = "100"
REQUEST_OVER = ("404", "408")  # no messages, expired: the consumer lives and may be asked again


class BusMessage(msgspec.Struct, frozen=True):
    """A message of a stream: its sequence, subject, headers and body."""

    sequence: int
    subject: str
    headers: dict[str, str]
    body: bytes


async def pull(bus: Bus, stream: str, after: int) -> AsyncGenerator[list[BusMessage], None]:
    """Batches of messages behind `after`; an empty one after a quarter of a second of silence.

    Raises Unavailable or ApiError when it cannot go on.
    """
    client = bus.client
    queue: asyncio.Queue[Msg] = asyncio.Queue()

    async def arrived(message: Msg) -> None:
        queue.put_nowait(message)

    inbox = client.new_inbox()
    try:
        subscription = await client.subscribe(inbox, cb=arrived)
        await bus.awaited(client.flush(), LOST_SECONDS, "The bus does not answer.")
    except AWAY as error:
        raise Unavailable("The bus is away.") from error
    try:
        created = await bus.api(f"CONSUMER.CREATE.{stream}", _consumer(stream, after))
        next_subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{created['name']}"
        asked, loop = 0, asyncio.get_running_loop()
        heard = loop.time()
        while True:
            if asked <= BATCH // 2:
                await client.publish(next_subject, _ask(), reply=inbox)
                asked += BATCH
            found = await _drain(queue)
            if found:
                heard = loop.time()
            elif loop.time() - heard > LOST_SECONDS or bus.client is not client:
                raise Unavailable("The stream is silent beyond its heartbeat.")
            messages = [_message(m) for m in found if not _status(m)]
            asked = 0 if _request_over(found) else max(0, asked - len(messages))
            if messages or not found:
                yield messages
    except AWAY as error:
        raise Unavailable("The bus is away.") from error
    finally:
        with suppress(*AWAY):
            await subscription.unsubscribe()


async def _drain(queue: "asyncio.Queue[Msg]") -> list[Msg]:
    """What is there now, or the next to arrive; empty after the silence."""
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            found = [await queue.get()]
    except TimeoutError:
        return []
    while not queue.empty() and len(found) < BATCH:
        found.append(queue.get_nowait())
    return found


def _status(message: Msg) -> str:
    # A stored message always has a reply subject, which carries its sequence.
    return "" if message.reply else str((message.headers or {}).get("Status", ""))


def _request_over(found: list[Msg]) -> bool:
    """Whether a request for messages ended. Raises Unavailable when the consumer did."""
    over = False
    for status in filter(None, map(_status, found)):
        if status in REQUEST_OVER:
            over = True
        elif status != HEARTBEAT:  # 409: deleted, leadership changed …; 503: nobody there
            raise Unavailable(f"The stream's consumer is gone ({status}).")
    return over


def _consumer(stream: str, after: int) -> dict[str, Any]:
    return {
        "stream_name": stream,
        "config": {
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": after + 1,
            "ack_policy": "none",
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": INACTIVE_SECONDS * NANOSECONDS,
        },
    }


def _ask() -> bytes:
    return msgspec.json.encode(
        {
            "batch": BATCH,
            "expires": EXPIRES_SECONDS * NANOSECONDS,
            "idle_heartbeat": HEARTBEAT_SECONDS * NANOSECONDS,
        }
    )


def _message(message: Msg) -> BusMessage:
    # $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>
    sequence = int(message.reply.split(".")[-4])
    return BusMessage(sequence, message.subject, dict(message.headers or {}), message.data)
