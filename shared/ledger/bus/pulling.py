"""Following a stream: an ephemeral ordered pull consumer that asks for more before it runs dry.

nats-py's own `fetch` pulls twice when idle and makes a task a message; this asks for batches on one inbox and reads
the sequence from the reply subject. The consumer keeps no acks: whoever reads knows his position.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from nats.aio.msg import Msg

from ledger.bus.connection import Bus, BusMessage
from ledger.errors import Unavailable

BATCH = 1000
EXPIRES_SECONDS = 5
HEARTBEAT_SECONDS = 1
SILENCE_SECONDS = 0.25
LOST_SECONDS = 3.0  # neither message nor heartbeat: the consumer or the server is gone
NANOSECONDS = 1_000_000_000
INACTIVE_SECONDS = 30


async def pull(bus: Bus, stream: str, after: int) -> AsyncIterator[list[BusMessage]]:
    """Batches of messages behind `after`; an empty one after a quarter of a second of silence."""
    client = bus.client
    queue: asyncio.Queue[Msg] = asyncio.Queue()

    async def arrived(message: Msg) -> None:
        queue.put_nowait(message)

    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox, cb=arrived, pending_msgs_limit=10 * BATCH, pending_bytes_limit=2**28)
    await client.flush(timeout=2)
    created = await bus.api(f"CONSUMER.CREATE.{stream}", _consumer(stream, after))
    name = created["name"]
    try:
        asked, loop = 0, asyncio.get_running_loop()
        heard = loop.time()
        while True:
            if asked <= BATCH // 2:
                await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}", _ask(), reply=inbox)
                asked += BATCH
            found = await _drain(queue)
            if found:
                heard = loop.time()
            elif loop.time() - heard > LOST_SECONDS or not client.is_connected:
                raise Unavailable("The stream is silent beyond its heartbeat.")
            messages = [m for m in found if not (m.headers and m.headers.get("Status"))]
            if len(messages) < len(found) and _ended(found):
                asked = 0  # the request expired or was cut short: ask anew
            asked = max(0, asked - len(messages))
            yield [_message(m) for m in messages]
    finally:
        if client.is_connected:
            await subscription.unsubscribe()


async def _drain(queue: "asyncio.Queue[Msg]") -> list[Msg]:
    """What is there now, or the next to arrive; empty after the silence."""
    try:
        found = [await asyncio.wait_for(queue.get(), SILENCE_SECONDS)]
    except TimeoutError:
        return []
    while not queue.empty() and len(found) < BATCH:
        found.append(queue.get_nowait())
    return found


def _ended(found: list[Msg]) -> bool:
    """Whether a status other than a heartbeat came (404, 408, 409): that request is over."""
    return any(m.headers and m.headers.get("Status", "100") != "100" for m in found)


def _consumer(stream: str, after: int) -> dict[str, Any]:
    return {
        "stream_name": stream,
        "config": {
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": after + 1,
            "ack_policy": "none",
            "mem_storage": True,
            "num_replicas": 1,
            "max_deliver": 1,
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
    return BusMessage(sequence, dict(message.headers or {}), message.data)
