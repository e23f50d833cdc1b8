"""The institution as revocation's rules need it: whether it may write, which lists its awards name, and whom its awards
pass to once it is closed. Pure."""

from collections.abc import Sequence

import msgspec

from ledger import errors
from ledger.codec import Recorded
from ledger.events import InstitutionCreated, InstitutionPolicySet, state_after, successor_named

PURPOSES = {"certified": ("revocation",), "full": ("revocation", "suspension")}
FOLLOWED = 32  # successors of successors


class Issuer(msgspec.Struct, frozen=True):
    """An institution: the purposes of its lists (DESIGN §8), its state (active, suspended or closed), who took over,
    and what takes a second key's approval."""

    purposes: tuple[str, ...]
    state: str = "active"
    successor: str | None = None
    four_eyes: tuple[str, ...] = ()


def issuer_of(history: Sequence[Recorded]) -> Issuer | None:
    """The institution behind a history, or None before it was created."""
    issuer: Issuer | None = None
    for recorded in history:
        event = recorded.event
        if isinstance(event, InstitutionCreated):
            issuer = Issuer(PURPOSES[event.status_profile])
        elif issuer is not None and isinstance(event, InstitutionPolicySet):
            issuer = msgspec.structs.replace(issuer, four_eyes=tuple(event.four_eyes))
        elif issuer is not None and (state := state_after(event)) is not None:
            issuer = msgspec.structs.replace(issuer, state=state, successor=successor_named(event))
    return issuer


def active_issuer(history: Sequence[Recorded]) -> Issuer:
    """The institution, which must be there and active. Raises NotFound or Refused."""
    issuer = issuer_of(history)
    if issuer is None:
        raise errors.NotFound("There is no such institution.")
    if issuer.state != "active":
        raise errors.Refused(f"This institution is {issuer.state}; it can be read, not written.")
    return issuer


def deciding_issuer(chain: Sequence[str], histories: Sequence[Sequence[Recorded]]) -> Issuer:
    """Who decides about an award: the last of a chain of institutions, from the award's own on, each closed and
    followed by the next. Raises NotFound, as for any stranger, where it is no such chain; Refused where the last one
    may not write."""
    for history, heir in zip(histories, chain[1:], strict=False):
        issuer = issuer_of(history)
        if issuer is None or issuer.state != "closed" or issuer.successor != heir:
            raise errors.NotFound("There is no such award.")
    return active_issuer(histories[-1])
