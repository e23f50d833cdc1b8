"""The public addresses, fixed by the log's first event (DESIGN §10).

Every id, DID and status URL is made from them, so a process whose settings name others must not run on this log. The
registry, who owns the stream, records them once (`open_ledger`); every other service waits for that and compares
(`opened`), in any order of starting.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from ledger import ids
from ledger.codec import Actor, Fact, Recorded
from ledger.events import LEDGER_TENANT, LedgerOpened
from ledger.settings import Settings, SettingsError
from ledger.store import Store, Wish

STREAM = "ledger/settings"


class AddressesDiffer(SettingsError):
    """The settings name other public addresses than the ones that this log was opened with."""


async def open_ledger(store: Store, settings: Settings) -> LedgerOpened:
    """Record the public addresses where the log has none yet, else compare. For the registry, before it serves.

    Raises AddressesDiffer, and Unavailable while the database cannot be written.
    """
    wish = Wish(
        tenant=LEDGER_TENANT,
        command=ids.caused_command(settings.server_secret, "ledger.opened", STREAM),
        actor=Actor(key=settings.service, role="service"),
    )
    at = datetime.now(UTC)
    await store.decide(STREAM, lambda history: opening(history, settings, at=at), wish=wish)
    return await opened(store, settings)


async def opened(store: Store, settings: Settings) -> LedgerOpened:
    """Wait until the ledger was opened, and compare its addresses with these settings. Raises AddressesDiffer.

    It waits for as long as it takes: give it a timeout, or call it before the service says that it is ready.
    """
    found = _event_of(await store.load(STREAM))
    if found is None:
        async for batch in store.follow(0):
            if (found := _event_of(batch)) is not None:
                break
    if found is None:
        raise RuntimeError("the log ended before it was opened")
    compare(found, settings)
    return found


def opening(history: Sequence[Recorded], settings: Settings, *, at: datetime) -> list[Fact]:
    """The fact that fixes the addresses; nothing when it stands already. Raises AddressesDiffer."""
    found = _event_of(history)
    if found is not None:
        compare(found, settings)
        return []
    return [Fact(event=LedgerOpened(public_url=settings.public_url, status_url=settings.status_url), at=at)]


def compare(found: LedgerOpened, settings: Settings) -> None:
    """Raise AddressesDiffer, in a sentence that names both, unless the settings are those of the log."""
    for name, recorded, wanted in (
        ("CREDLEDGER_PUBLIC_URL", found.public_url, settings.public_url),
        ("CREDLEDGER_STATUS_URL", found.status_url, settings.status_url),
    ):
        if recorded != wanted:
            raise AddressesDiffer(
                f"{name} is {wanted}, but this ledger was opened with {recorded}, and every credential in it names "
                f"that address: set {name}={recorded}, or start an empty ledger."
            )


def _event_of(history: Sequence[Recorded]) -> LedgerOpened | None:
    return next((r.event for r in history if isinstance(r.event, LedgerOpened)), None)
