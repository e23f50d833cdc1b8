"""`python -m tests.bench.subscriber`: a JetStream consumer in a process of its own.

The environment is that of the service whose credentials it uses. It says `ready`, notes when it sees each message,
reads on standard input up to which sequence it is wanted, and then writes [[sequence, Unix time], …] as JSON.
"""

import asyncio
import os
import sys
import time

import msgspec
import uvloop

from ledger.bus import Bus, pull
from ledger.bus.stream import NAME, last_sequence
from ledger.settings import Settings

WAIT_SECONDS = 30.0


async def follow() -> list[tuple[int, float]]:
    """Everything behind the stream's present end, up to the sequence that standard input names."""
    bus = await Bus.connect(Settings.from_environment("registry", os.environ), "registry")
    try:
        await bus.until_connected(WAIT_SECONDS)
        last = await last_sequence(bus)
        seen: list[tuple[int, float]] = []
        wanted = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        messages = pull(bus, NAME, last)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        async for batch in messages:
            now = time.time()
            seen.extend((message.sequence, now) for message in batch)
            if wanted.done() and int(wanted.result()) <= (seen[-1][0] if seen else last):
                return seen
        raise RuntimeError("the stream ended")
    finally:
        await bus.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.buffer.write(msgspec.json.encode(runner.run(follow())))
