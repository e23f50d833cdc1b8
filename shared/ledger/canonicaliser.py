"""Worker processes for documents that others made. ○

A graph can be made that keeps a canonicaliser busy for ever, holding the interpreter's lock and deaf to signals that
Python would handle; no thread can be stopped. So foreign documents are canonicalised and judged in a process that is
killed at a deadline and replaced: such a graph costs one deadline and one worker.

Rules. A worker serves one document at a time, over pipes: frames of four bytes of length and MessagePack. It ends when
its parent does: at the end of its input; when busy, by the kernel's alarm a little after the deadline, and on Linux at
once. It is warm before it takes work; starting one counts against nobody's deadline.

    async with Canonicaliser() as canonicaliser:
        verdicts = await canonicaliser.verify_proofs(document, keys, at=now)
"""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import msgspec
import structlog

from ledger import contexts
from ledger.errors import Unavailable
from ledger.proofs import CannotSay, Keys, Outcome, ProofError, PublicKey, Verdict, judgements, proofs_of, rdfc
from ledger.proofs.problems import MALFORMED, RANGE, TOO_SLOW
from ledger.proofs.screen import SIZE_LIMIT_BYTES

DEADLINE_SECONDS: Final = 1.0
QUEUE_SECONDS: Final = 10.0
START_SECONDS: Final = 20.0
ALARM_GRACE_SECONDS: Final = 0.5

log = structlog.get_logger()


class _Job(msgspec.Struct, array_like=True):
    """A document to judge, or with `keys` None to canonicalise."""

    document: Any
    keys: dict[str, PublicKey | str] | None = None
    at: datetime | None = None


class _Reply(msgspec.Struct, array_like=True):
    """One of a job's answers; `done` in the last one. `error`: (says wrong, problem, detail, pointer)."""

    done: bool = False
    canonical: bytes | None = None
    verdict: Verdict | None = None
    error: tuple[bool, str, str, str | None] | None = None


class _Died(Exception):
    """The worker's pipe ended."""


class Canonicaliser:
    """A small pool of workers. Open it with `async with`; at most `workers` documents are worked on at a time."""

    def __init__(self, *, workers: int = 1, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._size, self._deadline_seconds = workers, deadline_seconds
        self._idle: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        self._all: set[_Worker] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        for _ in range(self._size):
            self._begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(worker.end() for worker in self._all))

    async def canonicalise(self, document: dict[str, Any]) -> bytes:
        """The canonical N-Quads of a document (`ledger.proofs.rdfc`). Raises ProofError, CannotSay at the deadline, and
        Unavailable when too many wait."""
        replies: list[_Reply] = []
        await self._run(_Job(document), replies)
        [reply] = replies
        if reply.error is not None:
            says_wrong, problem, detail, pointer = reply.error
            raise ProofError(problem, detail, pointer) if says_wrong else CannotSay(detail, pointer, problem)
        return reply.canonical or b""

    async def verify_proofs(self, document: dict[str, Any], keys: Keys, *, at: datetime | None = None) -> list[Verdict]:
        """The verdict on each proof, in the document's order, as `ledger.proofs.judge` gives it.

        Proofs that were not reached by the deadline come out as *cannot say*. Raises Unavailable when too many wait.
        """
        replies: list[_Reply] = []
        problem, reason = "", ""
        try:
            await self._run(_Job(document, dict(keys), at), replies)
        except CannotSay as error:
            problem, reason = error.problem, error.detail
        found = {reply.verdict.index: reply.verdict for reply in replies if reply.verdict is not None}
        return [
            found.get(index) or _unreached(index, proof, problem, reason)
            for index, proof in enumerate(proofs_of(document))
        ]

    async def _run(self, job: _Job, replies: list[_Reply]) -> None:
        """Collect what a worker answers, until it is done or the deadline is over. Raises CannotSay."""
        frame = _framed(job)
        async with self._worker() as worker:
            try:
                async with asyncio.timeout(self._deadline_seconds):
                    await worker.work(frame, replies)
            except TimeoutError as error:
                log.warning("canonicalisation stopped", deadline_seconds=self._deadline_seconds)
                detail = f"The document takes longer than {self._deadline_seconds:g} s to canonicalise."
                raise CannotSay(detail, problem=TOO_SLOW) from error
            except _Died as error:
                raise CannotSay("The document broke off its canonicalisation.", problem=TOO_SLOW) from error

    @asynccontextmanager
    async def _worker(self) -> AsyncIterator["_Worker"]:
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                worker = await self._idle.get()
        except TimeoutError as error:
            raise Unavailable("Too many documents wait to be judged.", retry_after_seconds=5) from error
        try:
            yield worker
        finally:
            # A worker that is not done, because of the deadline or of a caller who went away, may be deep in a graph.
            if worker.is_idle:
                self._idle.put_nowait(worker)
            elif not self._closed:
                self._begin(instead_of=worker)

    def _begin(self, *, instead_of: "_Worker | None" = None) -> None:
        task = asyncio.create_task(self._start(instead_of))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start(self, old: "_Worker | None") -> None:
        if old is not None:
            self._all.discard(old)
            await old.end()
        while True:
            try:
                worker = await _Worker.started(self._deadline_seconds)
            except (OSError, TimeoutError, _Died) as error:
                log.error("no worker could be started", reason=type(error).__name__)
                await asyncio.sleep(1)
            else:
                self._all.add(worker)
                self._idle.put_nowait(worker)
                return


class _Worker:
    """The parent's side of one worker process, warm."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("a worker is spoken to over pipes")
        self._process, self._stdin, self._stdout = process, process.stdin, process.stdout
        self.is_idle = True

    @classmethod
    async def started(cls, deadline_seconds: float) -> "_Worker":
        """A new process that has warmed up. Raises OSError, TimeoutError or _Died."""
        source = str(Path(__file__).parents[1])
        path = os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH"))))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ledger.canonicaliser", str(deadline_seconds + ALARM_GRACE_SECONDS)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        worker = cls(process)
        try:
            async with asyncio.timeout(START_SECONDS):
                await worker._read()
        except BaseException:  # a cancelled start too must leave no process
            await worker.end()
            raise
        return worker

    async def work(self, frame: bytes, replies: list[_Reply]) -> None:
        """Collect every reply to one job. Raises _Died."""
        self.is_idle = False
        self._stdin.write(frame)
        with suppress(ConnectionError):  # the reply, or its absence, tells
            await self._stdin.drain()
        while not (reply := await self._read()).done:
            replies.append(reply)
        self.is_idle = True

    async def end(self) -> None:
        """Kill the process, idle or not, and wait until it is gone."""
        self.is_idle = False
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.communicate()

    async def _read(self) -> _Reply:
        try:
            size = int.from_bytes(await self._stdout.readexactly(4), "big")
            return msgspec.msgpack.decode(await self._stdout.readexactly(size), type=_Reply)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise _Died from error


def _framed(message: _Job | _Reply) -> bytes:
    """A message as it goes through the pipe. Raises ProofError for what cannot be written, or is too large."""
    try:
        body = msgspec.msgpack.encode(message)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ProofError(MALFORMED, "The document holds what JSON cannot carry.") from error
    if isinstance(message, _Job) and len(body) > 2 * SIZE_LIMIT_BYTES:
        raise CannotSay(f"The document has more than {SIZE_LIMIT_BYTES} bytes.", problem=RANGE)
    return len(body).to_bytes(4, "big") + body


def _unreached(index: int, proof: Any, problem: str, reason: str) -> Verdict:
    suite, method = (
        str(proof.get(name, "")) if isinstance(proof, dict) else "" for name in ("cryptosuite", "verificationMethod")
    )
    return Verdict(index, suite, method, Outcome.CANNOT_SAY, problem, reason)


def _answers(job: _Job) -> Iterator[_Reply]:
    try:
        if job.keys is None:
            yield _Reply(canonical=rdfc.canonical(job.document))
        else:
            for verdict in judgements(job.document, job.keys, at=job.at):
                yield _Reply(verdict=verdict)
    except ProofError as error:
        yield _Reply(error=(error.says_wrong, error.problem, error.detail, error.pointer))
    yield _Reply(done=True)


def _serve(source: BinaryIO, sink: BinaryIO, alarm_seconds: float) -> None:
    """The worker's life: warm up, say so, then job after job until the input ends."""
    for url in contexts.AWARD:
        with suppress(ProofError):
            rdfc.canonical({"@context": list(contexts.AWARD), "id": url, "type": ["VerifiableCredential"]})
    decoder = msgspec.msgpack.Decoder(_Job)
    _send(sink, _Reply())
    while len(head := source.read(4)) == 4:
        job = decoder.decode(source.read(int.from_bytes(head, "big")))
        signal.setitimer(signal.ITIMER_REAL, alarm_seconds)
        for reply in _answers(job):
            _send(sink, reply)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _send(sink: BinaryIO, reply: _Reply) -> None:
    sink.write(_framed(reply))
    sink.flush()


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # the kernel ends the process, whatever it is doing
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    with suppress(BrokenPipeError):
        _serve(sys.stdin.buffer, sys.stdout.buffer, float(sys.argv[1]))


if __name__ == "__main__":
    _main()
