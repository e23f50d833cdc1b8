"""`python -m tests.bench.award_load`: awards over HTTP from a process of its own.

Reads a `Job` as JSON, answers with a `Done` as JSON. Each connection keeps one request under way: it sends the next
when the answer was read. The client is bare, because client and services share the cores.
"""

import asyncio
import itertools
import sys
import time

import msgspec
import uvloop


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask, where, on how many connections and for how long; `name` makes this run's learners its own."""

    host: str
    port: int
    key: str
    achievement: str
    connections: int
    seconds: float
    name: str


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """How long each award took, all of them together, the positions they got, and the first answer."""

    seconds: list[float]
    took_seconds: float
    positions: list[int]
    first: msgspec.Raw


class _Answer(msgspec.Struct):
    position: int


async def load(job: Job) -> Done:
    """Award on all connections until the time is over. Raises RuntimeError for any answer but 201."""
    seconds: list[float] = []
    answers: list[bytes] = []
    numbers = itertools.count(1)
    clock = time.perf_counter
    began = clock()

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(job.host, job.port)
        try:
            while (sent := clock()) - began < job.seconds:
                writer.write(_request(job, next(numbers)))
                body = await _created(reader)
                seconds.append(clock() - sent)
                answers.append(body)
        finally:
            writer.close()
            await writer.wait_closed()

    async with asyncio.TaskGroup() as group:
        for _ in range(job.connections):
            group.create_task(connection())
    took = clock() - began
    positions = [msgspec.json.decode(body, type=_Answer).position for body in answers]
    return Done(seconds=seconds, took_seconds=took, positions=positions, first=msgspec.Raw(answers[0]))


def _request(job: Job, number: int) -> bytes:
    learner = {"email": f"{job.name}-{number}@learner.example", "name": f"Learner {number}"}
    body = msgspec.json.encode({"achievement_id": job.achievement, "learner": learner})
    head = (
        "POST /v1/awards HTTP/1.1\r\n"
        f"host: {job.host}:{job.port}\r\n"
        f"authorization: Bearer {job.key}\r\n"
        f"idempotency-key: {job.name}-{number}\r\n"
        "content-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _created(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status, *fields = head.split("\r\n")
    length = next(int(f.partition(":")[2]) for f in fields if f.startswith("content-length:"))
    body = await reader.readexactly(length)
    if status.split(" ")[1] != "201":
        raise RuntimeError(f"{status}: {body[:500].decode()}")
    return body


def main() -> None:
    """Do the job on standard input."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        done = runner.run(load(job))
    sys.stdout.buffer.write(msgspec.json.encode(done))


if __name__ == "__main__":
    main()
