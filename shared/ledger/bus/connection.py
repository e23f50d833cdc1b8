"""The connection to NATS: always being made, never waited for.

Nothing of ours depends on NATS being there: connecting goes on in the background, a request while it is away fails at
once with Unavailable, and a client that closed for good (an auth error, a revoked user) is replaced by a new one with
the credentials read afresh. Subscriptions are made again on each new client.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec
import nats
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from ledger.errors import Unavailable
from ledger.settings import Settings

HINT = "hint.head"
CONNECT_SECONDS = 2.0
PING_SECONDS = 5
BACKOFF_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0)
CLOSE_SECONDS = 2.0
AWAY = (nats.errors.Error, OSError, TimeoutError, asyncio.TimeoutError)

Handler = Callable[[bytes], Awaitable[bytes]]
OnHint = Callable[[int], None]

log = structlog.get_logger()


class Bus:
    """One process' connection, as its own user of account LEDGER."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings, self._name = settings, name
        self._client: Client | None = None
        self._handlers: list[tuple[str, Handler]] = []
        self._on_hint: list[OnHint] = []
        self._up = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, settings: Settings, name: str) -> "Bus":
        """A bus that connects in the background, now and whenever it must again."""
        bus = cls(settings, name)
        bus._keeper = asyncio.get_running_loop().create_task(bus._keep())
        return bus

    @property
    def connected(self) -> bool:
        """Whether NATS answers at this moment, as far as the client knows."""
        return self._client is not None and self._client.is_connected

    @property
    def client(self) -> Client:
        """The connected client. Raises Unavailable."""
        if self._client is None or not self._client.is_connected:
            raise Unavailable("The message bus is away.", retry_after_seconds=1)
        return self._client

    async def until_connected(self, seconds: float) -> bool:
        """Wait for a connection, for a bounded time."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._up.wait(), seconds)
        return self.connected

    async def request(self, subject: str, payload: bytes, timeout_seconds: float) -> bytes:
        """The answer of another service. Raises Unavailable when nobody answers in time."""
        try:
            answer: Msg = await self.client.request(subject, payload, timeout=timeout_seconds)
        except AWAY as error:
            service = subject.split(".")[1]
            raise Unavailable(f"The {service} service does not answer.", retry_after_seconds=1) from error
        return answer.data

    async def serve(self, subject: str, handler: Handler) -> None:
        """Answer requests on a subject, shared with the other processes of this service."""
        self._handlers.append((subject, handler))
        if self._client is not None and self._client.is_connected:
            await self._answer(self._client, subject, handler)

    async def hint(self, position: int) -> None:
        """Tell followers the head. A courtesy: lost while NATS is away."""
        if self.connected:
            with suppress(Unavailable, *AWAY):
                await self.client.publish(HINT, str(position).encode())

    async def on_hint(self, callback: OnHint) -> None:
        """Call back with the head whenever somebody appended."""
        self._on_hint.append(callback)

    async def close(self) -> None:
        """End the connection and what was being answered."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
        for task in list(self._tasks):
            task.cancel()
        await self._shut()

    async def _keep(self) -> None:
        attempt = 0
        while True:
            closed = asyncio.Event()
            try:
                self._client = await self._connected_client(closed)
                await self._subscribe(self._client)
                self._up.set()
                attempt = 0
                log.info("bus connected", user=self._name)
                await closed.wait()
                log.warning("bus closed", user=self._name)
            except AWAY as error:
                if attempt == 0:
                    log.warning("bus away", user=self._name, error=type(error).__name__)
            self._up.clear()
            await self._shut()
            await asyncio.sleep(BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS) - 1)])
            attempt += 1

    async def _connected_client(self, closed: asyncio.Event) -> Client:
        async def on_closed() -> None:
            closed.set()

        async def on_disconnected() -> None:
            # A client that tries by itself keeps old subscriptions and may never come back: take a new one at once.
            closed.set()

        async def on_error(error: Exception) -> None:
            log.warning("bus error", user=self._name, error=type(error).__name__, detail=str(error)[:200])

        credentials = self._settings.nats_credentials_file
        return await nats.connect(
            self._settings.nats_url,
            name=self._name,
            user_credentials=str(credentials) if credentials else None,
            connect_timeout=int(CONNECT_SECONDS),
            allow_reconnect=False,
            ping_interval=PING_SECONDS,
            max_outstanding_pings=2,
            pending_size=0,
            closed_cb=on_closed,
            disconnected_cb=on_disconnected,
            error_cb=on_error,
        )

    async def _subscribe(self, client: Client) -> None:
        for subject, handler in self._handlers:
            await self._answer(client, subject, handler)

        async def hinted(message: Msg) -> None:
            with suppress(ValueError):
                head = int(message.data)
                for callback in self._on_hint:
                    callback(head)

        await client.subscribe(HINT, cb=hinted)
        # A PING may overtake a queued SUB: only the second flush is a barrier.
        await client.flush(timeout=int(CONNECT_SECONDS))
        await client.flush(timeout=int(CONNECT_SECONDS))

    async def _answer(self, client: Client, subject: str, handler: Handler) -> None:
        async def respond(message: Msg) -> None:
            task = asyncio.get_running_loop().create_task(self._respond(client, message, handler))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        await client.subscribe(subject, queue=self._name, cb=respond)

    async def _respond(self, client: Client, message: Msg, handler: Handler) -> None:
        try:
            answer = await handler(message.data)
        except Exception as error:
            log.exception("request failed", subject=message.subject, error=type(error).__name__)
            detail = "The other service failed."
            answer = msgspec.json.encode({"error": {"code": "unavailable", "detail": detail}})
        with suppress(*AWAY):
            await client.publish(message.reply, answer)

    async def _shut(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(*AWAY):
                await asyncio.wait_for(client.close(), CLOSE_SECONDS)

    # -- JetStream's API, by plain requests: the client library lacks what we need of it

    async def api(self, verb: str, body: Any = None, timeout_seconds: float = 5.0) -> dict[str, Any]:
        """`$JS.API.<verb>` with a JSON body. Raises Unavailable, or ApiError with the server's code."""
        try:
            payload = b"" if body is None else msgspec.json.encode(body)
            answer = await self.client.request(f"$JS.API.{verb}", payload, timeout=timeout_seconds)
        except AWAY as error:
            raise Unavailable("JetStream does not answer.", retry_after_seconds=1) from error
        value: dict[str, Any] = msgspec.json.decode(answer.data)
        if "error" in value:
            raise ApiError(value["error"].get("err_code", 0), value["error"].get("description", ""))
        return value

    async def messages(self, stream: str, after: int) -> AsyncIterator[list["BusMessage"]]:
        """The stream's messages behind sequence `after`, in order, in batches; an empty batch when it is silent.

        Position rows decide what was applied, so the consumer is ephemeral and needs no acks. Raises Unavailable or
        ApiError when the stream cannot be followed any more: the caller then reads the store.
        """
        from ledger.bus.pulling import pull  # noqa: PLC0415 - the other half of this class, split for its size

        async for batch in pull(self, stream, after):
            yield batch


class BusMessage(msgspec.Struct, frozen=True):
    """A message of a stream: its sequence, headers and body."""

    sequence: int
    headers: dict[str, str]
    body: bytes


class ApiError(Exception):
    """JetStream refused, with its `err_code`."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
