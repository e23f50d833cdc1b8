"""Which places in status lists are given out, and to whom. Pure rules over `lease/<institution>` and `list/<list id>`.

Rules. An institution's lists come in generations: one list a purpose, all of one generation filled in step, the next
opened before the last is full. A lease is a block of counters of one generation; blocks never overlap, whoever asks,
and are never taken back. A counter becomes a place in a list by a keyed permutation (`ledger.bitstring`), so that the
places say nothing of order or number. A list is opened by a command of its own, before the first lease that names it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from ledger import errors, ids
from ledger.codec import Fact, Recorded
from ledger.events import LeaseGranted, StatusListOpened
from revocation.issuers import active_issuer

LENGTH = 131_072  # Bitstring Status List 1.0: at least 16 KiB of bits
BLOCK_LIMIT = 8192
OPEN_AHEAD = LENGTH // 8  # places left in a generation when the next one is opened


class LeaseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What issuance asks: `holder` names its process start, `command` the wish, so that asking again is harmless."""

    institution: Annotated[str, msgspec.Meta(pattern=ids.TENANT_PATTERN)]
    holder: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    command: UUID
    count: Annotated[int, msgspec.Meta(ge=1, le=BLOCK_LIMIT)]


class Mark(msgspec.Struct, frozen=True):
    """Where an institution's leases have come to: the next free counter of a generation, both counted from 0."""

    generation: int = 0
    next: int = 0

    @property
    def left(self) -> int:
        return LENGTH - self.next


def mark_of(history: Sequence[Recorded]) -> Mark:
    """How far the leases of a history go."""
    mark, lists = Mark(), None
    for recorded in history:
        if isinstance(event := recorded.event, LeaseGranted):
            began = lists is not None and event.lists != lists
            mark = Mark(mark.generation + 1 if began else mark.generation, event.first + event.count)
            lists = event.lists
    return mark


def current(history: Sequence[Recorded]) -> Mark:
    """From where the next lease is taken: a full generation is followed by the next."""
    mark = mark_of(history)
    return mark if mark.left else Mark(mark.generation + 1)


def lists_for(secret: bytes, institution: str, generation: int, purposes: Sequence[str]) -> dict[str, str]:
    """The lists of a generation, purpose → id: the same for whoever computes it."""
    return {p: ids.named_id(secret, "sl", f"{institution}/{p}/{generation}") for p in purposes}


def grant(
    request: LeaseRequest,
    history: Sequence[Recorded],
    institution_history: Sequence[Recorded],
    *list_histories: Sequence[Recorded],
    lists: dict[str, str],
    generation: int,
    at: datetime,
) -> list[Fact]:
    """The next block of this generation, of at most the wished size.

    `list_histories` are those of `lists`. Raises NotFound or Refused for the institution, Conflict when the
    generation is full meanwhile or a list is not open: look again and decide anew.
    """
    active_issuer(institution_history)
    mark = current(history)
    opened = [any(isinstance(r.event, StatusListOpened) for r in list_history) for list_history in list_histories]
    if mark.generation != generation or not all(opened) or len(opened) != len(lists):
        raise errors.Conflict("The lists changed at the same time; ask again.")
    count = min(request.count, mark.left)
    return [Fact(event=LeaseGranted(lists=lists, first=mark.next, count=count, holder=request.holder), at=at)]


def open_list(list_id: str, purpose: str, history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The list, all clear; nothing when it is open already."""
    if history:
        return []
    return [Fact(event=StatusListOpened(list_id=list_id, purpose=purpose, length=LENGTH), at=at)]
