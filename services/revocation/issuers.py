"""The institution as revocation's rules need it: whether it may write, and which lists its awards name. Pure."""

from collections.abc import Sequence

import msgspec

from ledger import errors
from ledger.codec import Recorded
from ledger.events import InstitutionCreated, InstitutionDeactivated, InstitutionReactivated

PURPOSES = {"certified": ("revocation",), "full": ("revocation", "suspension")}


class Issuer(msgspec.Struct, frozen=True):
    """An institution: the purposes of its lists (DESIGN §8), and whether it is active."""

    purposes: tuple[str, ...]
    active: bool = True


def active_issuer(history: Sequence[Recorded]) -> Issuer:
    """The institution, which must be there and active. Raises NotFound or Refused."""
    issuer: Issuer | None = None
    for recorded in history:
        match recorded.event:
            case InstitutionCreated(status_profile=profile):
                issuer = Issuer(PURPOSES[profile])
            case InstitutionDeactivated() if issuer:
                issuer = Issuer(issuer.purposes, active=False)
            case InstitutionReactivated() if issuer:
                issuer = Issuer(issuer.purposes)
    if issuer is None:
        raise errors.NotFound("There is no such institution.")
    if not issuer.active:
        raise errors.Refused("This institution is deactivated; it can be read, not written.")
    return issuer
