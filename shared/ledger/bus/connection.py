"""The connection to NATS: always being made, never waited for.

Nothing of ours depends on NATS being there: connecting goes on in the background, a request while it is away fails at
once with Unavailable, and so does one that waits when the connection is lost. A client is used for one connection: what
ends it (a lost server, an auth error, a revoked user) leads to a new one, with the credentials read afresh and every
subscription made again, so no buffer and no half-dead state survives.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import msgspec
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from ledger.bus.nkeys import credentials_of
from ledger.errors import Unavailable
from ledger.settings import Settings

HINT = "hint.head"
CONNECT_SECONDS = 2
REQUEST_SECONDS = 5.0
PING_SECONDS = 5
PINGS_OUTSTANDING = 2
BACKOFF_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0)
CLOSE_SECONDS = 2.0
WATCH_SECONDS = 1.0
AWAY = (nats.errors.Error, OSError, TimeoutError, asyncio.TimeoutError)

Handler = Callable[[bytes], Awaitable[bytes]]
OnHint = Callable[[int], None]
T = TypeVar("T")

log = structlog.get_logger()


class Bus:
    """One process' connection, as its own user of account LEDGER."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings, self._name = settings, name
        self._client: Client | None = None
        self._handlers: list[tuple[str, Handler]] = []
        self._on_hint: list[OnHint] = []
        self._up, self._lost = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None
        self._closing = False
        self.connections = 0  # made so far; another number means that anything may have happened in between

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
            async with asyncio.timeout(seconds):
                await self._up.wait()
        return self.connected

    async def request(self, subject: str, payload: bytes, timeout_seconds: float) -> bytes:
        """The answer of another service. Raises Unavailable when nobody answers in time."""
        return (await self.ask(subject, payload, timeout_seconds)).data

    async def ask(
        self, subject: str, payload: bytes, timeout_seconds: float, headers: dict[str, str] | None = None
    ) -> Msg:
        """The answering message itself. Raises Unavailable."""
        asked = self.client.request(subject, payload, timeout=timeout_seconds, headers=headers)
        return await self.awaited(asked, timeout_seconds, f"{subject} does not answer.")

    async def awaited(self, what: Awaitable[T], seconds: float, otherwise: str) -> T:
        """What comes over the connection. Raises Unavailable after `seconds`, and at once when the connection is
        lost: the client library would let every waiter run into its timeout."""
        task, lost = asyncio.ensure_future(what), asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait((task, lost), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if task.done() and not task.cancelled():
                return task.result()
        except AWAY as error:
            raise Unavailable(otherwise, retry_after_seconds=1) from error
        finally:
            lost.cancel()
            task.cancel()
        raise Unavailable(otherwise, retry_after_seconds=1)

    async def serve(self, subject: str, handler: Handler) -> None:
        """Answer requests on a subject, shared with the other processes of this service."""
        self._handlers.append((subject, handler))
        if self._client is not None and self._up.is_set():
            with suppress(*AWAY):  # lost in this moment: the next connection subscribes
                await self._answer(self._client, subject, handler)
                await _flushed(self._client)

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
        self._closing = True
        while self._keeper is not None and not self._keeper.done():
            self._keeper.cancel()  # more than once: before Python 3.12 the client library's waits may swallow one
            await asyncio.wait((self._keeper,), timeout=CLOSE_SECONDS)
        for task in list(self._tasks):
            task.cancel()
        await self._shut()

    async def _keep(self) -> None:
        attempt = 0
        while not self._closing:
            try:
                self._lost.clear()
                # A frozen server takes the connection and never speaks: the library's own limits do not cover that.
                async with asyncio.timeout(3 * CONNECT_SECONDS):
                    self._client = await self._connected_client()
                    await self._subscribe(self._client)
                self._up.set()
                self.connections += 1
                attempt = 0
                log.info("bus connected", user=self._name)
                await self._until_lost(self._client)
                log.warning("bus lost", user=self._name)
            except AWAY as error:
                if attempt == 0:
                    log.warning("bus away", user=self._name, error=type(error).__name__, detail=str(error)[:200])
            except Exception:  # unreadable credentials, for one: they may be mended, so it goes on trying
                log.exception("bus cannot connect", user=self._name)
            self._up.clear()
            self._lost.set()
            await self._shut()
            await asyncio.sleep(BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS) - 1)])
            attempt += 1

    async def _until_lost(self, client: Client) -> None:
        while client.is_connected and not self._lost.is_set():
            # It was seen to close after unanswered pings without calling back: so it is looked at, too.
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCH_SECONDS):
                    await self._lost.wait()

    async def _connected_client(self) -> Client:
        client = Client()

        async def lost() -> None:
            if self._client is client:
                self._lost.set()

        async def failed(error: Exception) -> None:
            if self._up.is_set():  # what goes wrong while connecting is said once, above
                log.warning("bus error", user=self._name, error=type(error).__name__, detail=str(error)[:200])

        try:
            await client.connect(
                self._settings.nats_url,
                name=self._name,
                connect_timeout=CONNECT_SECONDS,
                allow_reconnect=False,
                max_reconnect_attempts=1,  # or it would try the first connection by itself, every two seconds
                reconnect_time_wait=0,
                ping_interval=PING_SECONDS,
                max_outstanding_pings=PINGS_OUTSTANDING,
                pending_size=0,  # a publish without a connection must fail, not be sent later
                closed_cb=lost,
                disconnected_cb=lost,
                error_cb=failed,
                **self._identity(),
            )
        except BaseException:
            with suppress(Exception):  # it leaves its socket open when it raises
                async with asyncio.timeout(CLOSE_SECONDS):
                    await client.close()
            raise
        return client

    def _identity(self) -> dict[str, Any]:
        """Who we are, signed by ourselves: the client library would need another library for it."""
        file = self._settings.nats_credentials_file
        if file is None:
            return {}
        jwt, pair = credentials_of(file.read_text())
        return {
            "user_jwt_cb": lambda: bytearray(jwt.encode()),
            "signature_cb": lambda nonce: base64.b64encode(pair.sign(nonce.encode())),
        }

    async def _subscribe(self, client: Client) -> None:
        for subject, handler in list(self._handlers):
            await self._answer(client, subject, handler)

        async def hinted(message: Msg) -> None:
            with suppress(ValueError):
                head = int(message.data)
                for callback in list(self._on_hint):
                    callback(head)

        await client.subscribe(HINT, cb=hinted)
        await _flushed(client)

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
                async with asyncio.timeout(CLOSE_SECONDS):
                    await client.close()

    # -- JetStream's API, by plain requests: the client library lacks what we need of it

    async def api(self, verb: str, body: Any = None, timeout_seconds: float = REQUEST_SECONDS) -> dict[str, Any]:
        """`$JS.API.<verb>` with a JSON body. Raises Unavailable, or ApiError with the server's code."""
        payload = b"" if body is None else msgspec.json.encode(body)
        answer = await self.ask(f"$JS.API.{verb}", payload, timeout_seconds)
        value: dict[str, Any] = msgspec.json.decode(answer.data)
        if "error" in value:
            raise ApiError(value["error"].get("err_code", 0), value["error"].get("description", ""))
        return value


async def _flushed(client: Client) -> None:
    """The server knows every subscription made so far: a PING may overtake a queued SUB, a second one does not."""
    await client.flush(timeout=CONNECT_SECONDS)
    await client.flush(timeout=CONNECT_SECONDS)


class ApiError(Exception):
    """JetStream refused, with its `err_code`."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
