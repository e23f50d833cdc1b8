"""Facts about the keys that seal the vault and about erasures after a restore. Category `access` (issuance).

A *ring* is what one key-encryption key seals: `data` (learners' and institutions' data keys) or `signing`.
"""

from typing import ClassVar

from ledger.events.base import Event


class EpochBegun(Event, frozen=True, kw_only=True):
    """A key-encryption key seals from now on. `check` tells two keys of one number apart and says nothing of either."""

    TOPIC: ClassVar[str] = "kek.epoch_begun"

    ring: str
    epoch: int
    check: str


class RewrapOrdered(Event, frozen=True, kw_only=True):
    """An operator ordered that whatever lies under an older epoch be sealed anew; `epochs` is ring → current epoch."""

    TOPIC: ClassVar[str] = "kek.rewrap_ordered"

    epochs: dict[str, int]


class Rewrapped(Event, frozen=True, kw_only=True):
    """Nothing lies under an older epoch any more; `rewrapped` is older epoch → how many keys were sealed anew."""

    TOPIC: ClassVar[str] = "kek.rewrapped"

    ring: str
    epoch: int
    rewrapped: dict[str, int] = {}


class EpochDestroyed(Event, frozen=True, kw_only=True):
    """An operator destroys a key-encryption key: what was sealed under it, in whatever backup, is erased for good."""

    TOPIC: ClassVar[str] = "kek.epoch_destroyed"

    ring: str
    epoch: int


class ErasuresReapplied(Event, frozen=True, kw_only=True):
    """The erasures of the list outside the backups were applied again: of those `listed`, `reapplied` had come back
    with a restored vault; of these, `unrecorded` were in no event of this log and were recorded anew."""

    TOPIC: ClassVar[str] = "erasures.reapplied"

    listed: int
    reapplied: int
    unrecorded: int


EVENTS: tuple[type[Event], ...] = (EpochBegun, RewrapOrdered, Rewrapped, EpochDestroyed, ErasuresReapplied)
