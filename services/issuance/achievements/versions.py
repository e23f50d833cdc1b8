"""Versions of an achievement: published once, immutable, withdrawn at will. Pure rules over `achievement/<id>`."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from issuance.institutions import ReasonCode, active_institution
from ledger import errors
from ledger.codec import Fact, Recorded
from ledger.credentials.document import CONTEXTS
from ledger.errors import FieldError
from ledger.events import AchievementPublished, AchievementWithdrawn
from ledger.proofs import ProofError
from ledger.proofs.rdfc import canonical, sorts_alike


class WithdrawVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a version may no longer be awarded, as a code."""

    reason_code: ReasonCode = "superseded"


def next_version(history: Sequence[Recorded]) -> int:
    """The number that the next published version gets."""
    return 1 + sum(isinstance(recorded.event, AchievementPublished) for recorded in history)


def publish(
    event: AchievementPublished,
    history: Sequence[Recorded],
    institution: Sequence[Recorded],
    *endorsers: Sequence[Recorded],
    judged_at: Sequence[int] = (),
    at: datetime,
) -> list[Fact]:
    """The version. `judged_at` is the version of each endorser's stream when the endorsements were judged.

    Raises Refused for an institution that is not active, Conflict where another took the number or an endorser's keys
    changed.
    """
    active_institution(institution)
    if [len(endorser) for endorser in endorsers] != list(judged_at):
        raise errors.Conflict("An endorser's keys changed at this moment; try again.")
    if event.achievement_version != next_version(history):
        raise errors.Conflict("Another version was published at the same time; try again.")
    return [Fact(event=event, at=at)]


def check_signable(event: AchievementPublished) -> None:
    """Refuse, before it is published, what no credential of this version could be signed with.

    Raises Malformed: a term that the contexts do not define, or texts whose order common verifiers see differently.
    """
    sample = {
        "@context": list(CONTEXTS),
        "id": "urn:uuid:00000000-0000-4000-8000-000000000000",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "credentialSubject": {"type": ["AchievementSubject"], "achievement": event.document},
    }
    try:
        statements = canonical(sample, own=True)
    except ProofError as error:
        pointer = (error.pointer or "").removeprefix("/credentialSubject/achievement")
        where = [FieldError(pointer, error.detail)]
        raise errors.Malformed("The achievement could not be signed as it stands.", errors=where) from error
    if not sorts_alike(statements):
        raise errors.Malformed(
            "Some of its texts begin with characters that common verifiers order differently, so they would refuse "
            "its signatures; change the beginning of one of them."
        )


def withdraw(
    number: int, wish: WithdrawVersion, history: Sequence[Recorded], institution: Sequence[Recorded], *, at: datetime
) -> list[Fact]:
    """The version may no longer be awarded; nothing when that is so already. Raises NotFound or Refused."""
    active_institution(institution)
    if number >= next_version(history) or number < 1:
        raise errors.NotFound(f"This achievement has no version {number}.")
    if number in withdrawn(history):
        return []
    return [Fact(event=AchievementWithdrawn(achievement_version=number, reason_code=wish.reason_code), at=at)]


def withdrawn(history: Sequence[Recorded]) -> set[int]:
    """The versions that may no longer be awarded."""
    return {r.event.achievement_version for r in history if isinstance(r.event, AchievementWithdrawn)}


def version_of(history: Sequence[Recorded], number: int | None = None) -> AchievementPublished:
    """A published version, by default the newest. Raises NotFound."""
    for recorded in reversed(history):
        event = recorded.event
        if isinstance(event, AchievementPublished) and number in (None, event.achievement_version):
            return event
    raise errors.NotFound("There is no such achievement." if number is None else f"There is no version {number}.")
