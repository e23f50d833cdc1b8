"""What the registry's handlers work with, opened once by the lifespan in `registry.app`."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from ledger.bus import Bus
from ledger.errors import NotFound
from ledger.projector import Projector, caught_up
from ledger.settings import Settings
from ledger.store import Store
from ledger.vault import Documents
from registry.achievements import Achievements
from registry.awards import Awards
from registry.issuers import Issuers
from registry.verification.verifier import Verifier

CATCH_UP_SECONDS = 1.0

T = TypeVar("T")


class Reads(msgspec.Struct, frozen=True, kw_only=True):
    """What is known here, and how to wait for what was just recorded."""

    store: Store
    issuers: Issuers
    achievements: Achievements
    awards: Awards
    documents: Documents
    projectors: tuple[Projector, ...]

    async def caught_up(self) -> bool:
        """Wait, for up to a second, until our tables have seen what the log holds now; whether they have."""
        return await caught_up(self.projectors, self.store, CATCH_UP_SECONDS)

    async def found(self, read: Callable[[], Awaitable[T | None]], thing: str) -> T:
        """What `read` finds, now or once the tables have caught up. Raises NotFound."""
        answer = await read()
        if answer is None:
            await self.caught_up()
            answer = await read()
        if answer is None:
            raise NotFound(f"There is no such {thing}.")
        return answer


class Registry(Reads, frozen=True, kw_only=True):
    """The open parts of the service."""

    settings: Settings
    bus: Bus
    verifier: Verifier
