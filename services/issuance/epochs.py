"""Epochs of the key-encryption keys, as pure rules over the stream `access/kek`.

Rules. An epoch begins once, with one key. When nothing lies under an older one any more, that is recorded with the
counts; the backups made until then still need the older key, so it may be destroyed when the last of them has expired.
Rotation interval + backup retention = the erasure horizon (DESIGN §5).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from ledger import errors
from ledger.codec import Fact, Recorded, format_time
from ledger.events import EpochBegun, EpochDestroyed, RewrapOrdered, Rewrapped

STREAM = "access/kek"
RINGS = ("data", "signing")


class Epoch(msgspec.Struct, frozen=True):
    """One key of a ring: when it began to seal, when it was first and last found to be the oldest that seals anything,
    with the counts, and when it was destroyed."""

    number: int
    check: str
    begun: datetime
    rewrapped: Mapping[str, int] | None = None
    rewrapped_at: datetime | None = None
    destroyed_at: datetime | None = None


class Policy(msgspec.Struct, frozen=True):
    """The two settings that make the erasure horizon, in days."""

    rotation_days: int
    retention_days: int


class Known(msgspec.Struct, frozen=True):
    """What a process knows of a ring now: the epoch that seals, those that its keyring opens, and epoch → how many
    keys lie under it."""

    ring: str
    current: int
    epochs: tuple[int, ...]
    sealed: Mapping[int, int]


class EpochStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One epoch to an operator. `destroyable_from` is when the last backup that needs it has expired."""

    epoch: int
    begun_at: str | None
    in_keyring: bool
    sealed: int
    rewrapped_away: int
    destroyable_from: str | None
    destroyable: bool
    destroyed_at: str | None
    what_next: str


class RingStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One ring to an operator: what `credledger keys status` shows."""

    ring: str
    current_epoch: int
    rotate_by: str | None
    rotation_overdue: bool
    left: int
    epochs: list[EpochStatus]


def epochs_of(history: Sequence[Recorded], ring: str) -> dict[int, Epoch]:
    """The epochs of a ring by number, in the order in which they began."""
    found: dict[int, Epoch] = {}
    for recorded in history:
        match recorded.event:
            case EpochBegun(ring=of, epoch=number, check=check) if of == ring:
                found.setdefault(number, Epoch(number, check, recorded.at))
            case Rewrapped(ring=of, epoch=number, rewrapped=counts) if of == ring and number in found:
                found[number] = msgspec.structs.replace(found[number], rewrapped=counts, rewrapped_at=recorded.at)
            case EpochDestroyed(ring=of, epoch=number) if of == ring:
                gone = found.get(number) or Epoch(number, "", recorded.at)
                found[number] = msgspec.structs.replace(gone, destroyed_at=recorded.at)
    return found


def begin(ring: str, epoch: int, check: str, history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The fact that an epoch seals from now on; nothing when that is known.

    Raises Refused when the number was another key's, or when that key was destroyed.
    """
    known = epochs_of(history, ring).get(epoch)
    if known is None:
        return [Fact(event=EpochBegun(ring=ring, epoch=epoch, check=check), at=at)]
    if known.check != check:
        raise errors.Refused(f"Epoch {epoch} of the ring {ring} was another key; give the new key the next number.")
    if known.destroyed_at is not None:
        raise errors.Refused(f"Epoch {epoch} of the ring {ring} was destroyed; it cannot seal again.")
    return []


def order(epochs: Mapping[str, int], _: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The operator's order to re-wrap, each time that it is given."""
    return [Fact(event=RewrapOrdered(epochs=dict(epochs)), at=at)]


def finish(
    ring: str, epoch: int, counts: Mapping[str, int], history: Sequence[Recorded], *, at: datetime
) -> list[Fact]:
    """The fact that nothing lies under an older epoch any more; nothing when there was none, or it says so already."""
    epochs = epochs_of(history, ring)
    known = epochs.get(epoch)
    if known is None or not any(number < epoch for number in epochs) or known.rewrapped == counts:
        return []
    return [Fact(event=Rewrapped(ring=ring, epoch=epoch, rewrapped=dict(counts)), at=at)]


def destroy(known: Known, epoch: int, history: Sequence[Recorded], *, policy: Policy, at: datetime) -> list[Fact]:
    """The fact that an epoch's key is destroyed; nothing when it was. Raises NotFound, or Refused if it is needed."""
    epochs = epochs_of(history, known.ring)
    if epoch not in epochs:
        raise errors.NotFound(f"The ring {known.ring} never had an epoch {epoch}.")
    if epochs[epoch].destroyed_at is not None:
        return []
    status = _epoch_status(epoch, known, epochs, policy, at)
    if not status.destroyable:
        raise errors.Refused(f"Epoch {epoch} of the ring {known.ring} is still needed. {status.what_next}")
    return [Fact(event=EpochDestroyed(ring=known.ring, epoch=epoch), at=at)]


def status_of(known: Known, history: Sequence[Recorded], *, policy: Policy, at: datetime) -> RingStatus:
    """Where a ring stands: which epochs still seal what, and when an old one may be destroyed."""
    epochs = epochs_of(history, known.ring)
    current = epochs.get(known.current)
    due = None if current is None else current.begun + timedelta(days=policy.rotation_days)
    # Signing keys in an HSM (epoch 0) are sealed by nobody here.
    numbers = sorted({number for number in (*epochs, *known.epochs, *known.sealed) if number > 0}, reverse=True)
    return RingStatus(
        ring=known.ring,
        current_epoch=known.current,
        rotate_by=None if due is None else format_time(due),
        rotation_overdue=due is not None and due <= at,
        left=sum(count for number, count in known.sealed.items() if 0 < number < known.current),
        epochs=[_epoch_status(number, known, epochs, policy, at) for number in numbers],
    )


def _epoch_status(number: int, known: Known, epochs: Mapping[int, Epoch], policy: Policy, at: datetime) -> EpochStatus:
    epoch, sealed = epochs.get(number), known.sealed.get(number, 0)
    emptied = _emptied_at(number, epochs)
    after = None if emptied is None or sealed else emptied + timedelta(days=policy.retention_days)
    gone = epoch.destroyed_at if epoch is not None else None
    return EpochStatus(
        epoch=number,
        begun_at=format_time(epoch.begun) if epoch is not None else None,
        in_keyring=number in known.epochs,
        sealed=sealed,
        rewrapped_away=sum((e.rewrapped or {}).get(str(number), 0) for e in epochs.values()),
        destroyable_from=format_time(after) if after is not None and gone is None else None,
        destroyable=gone is None and number < known.current and after is not None and after <= at,
        destroyed_at=format_time(gone) if gone is not None else None,
        what_next=_what_next(number, known, sealed, after, gone, at),
    )


def _emptied_at(number: int, epochs: Mapping[int, Epoch]) -> datetime | None:
    """When something lay under this epoch for the last time: every backup made until then needs its key."""
    later = [(e.rewrapped_at, e.rewrapped or {}) for e in epochs.values() if e.number > number and e.rewrapped_at]
    from_here = [at for at, counts in later if counts.get(str(number))]
    return max(from_here) if from_here else min((at for at, _ in later), default=None)


def _what_next(
    number: int, known: Known, sealed: int, after: datetime | None, gone: datetime | None, at: datetime
) -> str:
    if gone is not None:
        kept = " Take it out of the keyring." if number in known.epochs else ""
        return "Destroyed." + kept
    if number == known.current:
        return "It seals."
    if number > known.current:
        return "It is known and does not seal yet: put it first in the keyring."
    if sealed and number not in known.epochs:
        return f"{sealed} keys lie under it and this keyring lacks it: bring it back."
    if sealed or after is None:
        return f"{sealed} keys are still to be sealed anew."
    if after <= at:
        return "The last backup that needs it has expired: destroy it."
    return f"Keep it until {format_time(after)}, when the last backup that needs it expires."
