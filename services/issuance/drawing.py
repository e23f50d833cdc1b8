"""What a document needs at random, or by a keyed derivation: drawn here, so that the rules stay pure."""

import base64
from collections.abc import Sequence
from uuid import UUID

from issuance.awards import Draws
from issuance.parts import Issuance, draw
from ledger import ids
from ledger.events import StatusEntry


def draws_for(
    issuance: Issuance,
    tenant: str,
    pseudonym: str,
    *,
    status: Sequence[StatusEntry] = (),
    approval: str | None = None,
) -> Draws:
    """What an award needs from outside, with its places in the status lists and the proposal that was approved."""
    return Draws(
        pseudonym=pseudonym,
        subject_id=subject_id(issuance, tenant, pseudonym),
        capability=new_capability(),
        salt=draw(16).hex(),
        status=list(status),
        approval=approval,
    )


def subject_id(issuance: Issuance, tenant: str, pseudonym: str) -> str:
    """What a learner without a DID is called in credentials: always the same for a pseudonym, which it hides."""
    secret = issuance.settings.server_secret
    return f"urn:uuid:{UUID(bytes=ids.keyed(secret, 'credledger/subject/v1', tenant, pseudonym)[:16], version=4)}"


def new_capability() -> str:
    """A fresh secret for a credential's URL: 128 random bits."""
    return base64.urlsafe_b64encode(draw(16)).decode().rstrip("=")
