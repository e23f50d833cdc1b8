"""Histories for the rules: facts placed on streams as the store would, without a database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from ledger import codec
from ledger.codec import Actor, Fact, Place, Recorded, format_time
from ledger.events import Awarded, InstitutionCreated, IssuerKeyChanged, StatusEntry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TENANT = "inst_" + "a" * 26
OTHER = "inst_" + "b" * 26
AWARD = "awd_" + "a" * 26
LEARNER = "lrn_" + "a" * 26
ACTOR = Actor(key="key_test", role="institution", request="req_test")
REVOCATION = StatusEntry("sl_" + "r" * 26, "revocation", 17)
SUSPENSION = StatusEntry("sl_" + "s" * 26, "suspension", 23)


def placed(
    stream: str, facts: Sequence[Fact], history: Sequence[Recorded] = (), *, tenant: str = TENANT, at: int = 0
) -> list[Recorded]:
    """The history with these facts appended, each as a command of its own, at positions behind `at`."""
    whole = list(history)
    for version, fact in zip(count(len(whole) + 1), facts, strict=False):
        command = UUID(int=at + version)
        place = Place(tenant=tenant, stream=stream, version=version, command=command, ordinal=0, actor=ACTOR)
        row = codec.encode(fact, place, bytes)
        whole.append(
            Recorded(
                log_id=0,
                position=at + version,
                stream=stream,
                version=version,
                command_id=command,
                topic=row.topic,
                recorded_at=NOON + timedelta(seconds=at + version),
                leaf=row.leaf,
                state=row.state,
            )
        )
    return whole


def award_fact(status: Sequence[StatusEntry] = (REVOCATION, SUSPENSION), *, made: datetime = NOON) -> Fact:
    """An award with these places in status lists."""
    event = Awarded(
        achievement_id="ach_" + "a" * 26,
        achievement_version=1,
        profile_version=1,
        keys=[],
        issued=format_time(made),
        awarded_date=format_time(made),
        valid_from=format_time(made),
        status=list(status),
    )
    return Fact(event=event, at=made, subject=LEARNER)


def award_history(status: Sequence[StatusEntry] = (REVOCATION, SUSPENSION), *, tenant: str = TENANT) -> list[Recorded]:
    """The stream of an award of this tenant."""
    return placed(f"award/{AWARD}", [award_fact(status)], tenant=tenant)


def institution_facts(*, slug: str = "one", profile: str = "full", key_id: str = "key_one") -> list[Fact]:
    """An institution and its first Ed25519 key."""
    did = f"did:web:ledger.example:issuers:{slug}"
    created = InstitutionCreated(slug=slug, did=did, name="One", url="https://one.example", status_profile=profile)
    return [Fact(event=created, at=NOON), Fact(event=key_changed(did, key_id, "added"), at=NOON)]


def key_changed(did: str, key_id: str, change: str, *, at: datetime = NOON) -> IssuerKeyChanged:
    """A change of a signing key."""
    return IssuerKeyChanged(
        issuer=did, key_id=key_id, change=change, algorithm="Ed25519", public_key="z6Mk", effective=format_time(at)
    )


def institution_history(*, profile: str = "full", more: Sequence[Fact] = ()) -> list[Recorded]:
    """The stream of the institution."""
    return placed(f"institution/{TENANT}", [*institution_facts(profile=profile), *more])
