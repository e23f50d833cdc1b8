"""The life of a service process: its parts are opened in the background, so that it answers (503, not ready) while
PostgreSQL is not there yet, and its followers run until the server stops.

    async def work(ready: Ready[Parts]) -> None:          # opens, says ready(parts), then follows for ever
        async with opened_store(settings) as store: …

    Lifetime("issuance", work).lifespan            # goes into Service.lifespan
    Lifetime(...).parts                            # what handlers depend on: the parts, or Unavailable

A follower that fails brings the parts down and they are opened anew after a pause; a setting that cannot be right
(SettingsError) ends the process with its sentence.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

import structlog
from litestar import Litestar
from litestar.di import Provide

from ledger.errors import Unavailable
from ledger.settings import SettingsError
from ledger.store.away import DATABASE_AWAY

PAUSE_SECONDS = (0.2, 0.5, 1.0, 2.0)
AWAY: tuple[type[Exception], ...] = (Unavailable, *DATABASE_AWAY)
CANCEL_SECONDS = 1.5
P = TypeVar("P")
Ready = Callable[[P], None]
Work = Callable[[Ready[P]], Awaitable[None]]

log = structlog.get_logger()


class Lifetime(Generic[P]):
    """Opens the parts of one service and keeps them open."""

    def __init__(self, name: str, work: Work[P]) -> None:
        self._name, self._work = name, work
        self._parts: P | None = None
        self.refusal: str | None = None

    @property
    def parts(self) -> P:
        """The open parts. Raises Unavailable while they are not."""
        if self._parts is None:
            raise Unavailable("The service is starting or its database is away.", retry_after_seconds=1)
        return self._parts

    def dependency(self) -> Provide:
        """The parts as a dependency of handlers."""

        async def provide() -> Any:
            return self.parts

        return Provide(provide)

    async def check(self) -> str | None:
        """The readiness check: None when the parts are open."""
        return None if self._parts is not None else "not opened yet"

    @asynccontextmanager
    async def lifespan(self, _: Litestar) -> AsyncIterator[None]:
        """Work in the background while the server serves."""
        task = asyncio.get_running_loop().create_task(self._run())
        try:
            yield
        finally:
            while not task.done():  # closing what is half open may swallow a cancellation: say it again
                task.cancel()
                await asyncio.wait({task}, timeout=CANCEL_SECONDS)

    async def _run(self) -> None:
        attempt = 0
        while True:
            try:
                await self._work(self._ready)
            except* SettingsError as group:
                self._refuse(str(_leaves(group)[0]))
            except* Exception as group:
                self._interrupted(_leaves(group))
            if self.refusal is not None:
                return
            attempt = 0 if self._parts is not None else attempt + 1
            self._parts = None
            await asyncio.sleep(PAUSE_SECONDS[min(attempt, len(PAUSE_SECONDS) - 1)])

    def _ready(self, parts: P) -> None:
        self._parts = parts
        log.info("service ready", service=self._name)

    def _interrupted(self, errors: list[BaseException]) -> None:
        """A server that is away is said in a word; what nobody expected is said with where it happened."""
        strange = next((error for error in errors if not isinstance(error, AWAY)), None)
        kinds = sorted({type(error).__name__ for error in errors})
        log.warning("service interrupted", service=self._name, errors=kinds, exc_info=strange)

    def _refuse(self, sentence: str) -> None:
        self.refusal = sentence
        log.error("service refuses to run", service=self._name, reason=sentence)
        os.kill(os.getpid(), signal.SIGTERM)


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    return [
        leaf
        for error in group.exceptions
        for leaf in (_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]
