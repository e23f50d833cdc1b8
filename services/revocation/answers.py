"""What the API says of a standing: built from stored events, so that the same request always gets the same answer."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from ledger.approvals import Approval, ApprovalState, state_of
from ledger.codec import Recorded, format_time
from ledger.events import StandingChanged, StandingProposed
from revocation.lists import VISIBLE_SECONDS
from revocation.standings import (
    Standing,
    Status,
    entries_of,
    standing_of,
    status_after,
    suspension_is_listed,
)

HIDDEN_SUSPENSION = (
    "This award's credential names a revocation list only (profile certified): a suspension shows in this ledger's "
    "registry and verification, and to nobody who checks the credential elsewhere."
)


WAITING = "Nothing has changed yet: another key, with the scope approvals:write, has to approve this."


class StandingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How an award stands: valid, suspended or revoked; why, since when in the world, and by which event."""

    status: Status
    reason_code: str | None = None
    since: str | None = None
    authority: str | None = None
    position: int | None = None
    recorded_at: str | None = None


class PublishedList(msgspec.Struct, frozen=True):
    """A status list in which the award has a place."""

    purpose: str
    url: str


class Publication(msgspec.Struct, frozen=True):
    """Where the standing is to be seen, and how soon after this answer at the latest."""

    lists: list[PublishedList]
    within_seconds: float = VISIBLE_SECONDS


class StandingAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An award's standing after a change. `position` is that of the event; null where nothing ever happened."""

    award_id: str
    standing: StandingFacts
    position: int | None
    published: Publication
    note: str | None = None


class StandingChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change: what the award became, why, since when, and where in the log it stands."""

    position: int
    type: str
    status: Status
    reason_code: str
    effective: str
    authority: str | None
    recorded_at: datetime


class StandingHistory(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An award's standing now and every change that led to it, oldest first."""

    award_id: str
    standing: StandingFacts
    position: int | None
    published: Publication
    history: list[StandingChange]
    note: str | None = None


class ProposalAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed revocation, and how the proposal stands. Free text is sealed beside it."""

    approval: ApprovalState
    award_id: str
    change: str
    reason_code: str
    effective: str | None
    authority: str | None
    note: str | None


def proposal_for(approval: Approval) -> ProposalAnswer:
    """The answer about a proposal."""
    event = approval.proposed.event
    if not isinstance(event, StandingProposed):
        raise TypeError("only a proposal is answered so")
    return ProposalAnswer(
        approval=state_of(approval, event.award_id),
        award_id=event.award_id,
        change=event.change,
        reason_code=event.reason_code,
        effective=event.effective,
        authority=event.authority,
        note=WAITING if approval.status == "open" else None,
    )


def answer_for(award: Recorded, standing: Standing, status_url: str) -> StandingAnswer:
    """The answer about a standing of this award."""
    return StandingAnswer(
        award_id=award_id_of(award),
        standing=facts_of(standing),
        position=standing.position,
        published=publication_of(award, status_url),
        note=_note(award, standing),
    )


def history_for(award: Recorded, history: Sequence[Recorded], status_url: str) -> StandingHistory:
    """The answer about everything that happened to this award's standing."""
    standing = standing_of(history)
    return StandingHistory(
        award_id=award_id_of(award),
        standing=facts_of(standing),
        position=standing.position,
        published=publication_of(award, status_url),
        history=[
            StandingChange(
                position=recorded.position,
                type=recorded.topic,
                status=status_after(event),
                reason_code=event.reason_code,
                effective=event.effective,
                authority=event.authority,
                recorded_at=recorded.recorded_at,
            )
            for recorded in history
            if isinstance(event := recorded.event, StandingChanged)
        ],
        note=_note(award, standing),
    )


def facts_of(standing: Standing) -> StandingFacts:
    """A standing as the API says it."""
    return StandingFacts(
        status=standing.status,
        reason_code=standing.reason_code,
        since=standing.since,
        authority=standing.authority,
        position=standing.position,
        recorded_at=format_time(standing.recorded_at) if standing.recorded_at else None,
    )


def publication_of(award: Recorded, status_url: str) -> Publication:
    """Where verifiers look up this award."""
    found = [PublishedList(e.purpose, f"{status_url}/status-lists/{e.list_id}") for e in entries_of(award)]
    return Publication(found)


def award_id_of(award: Recorded) -> str:
    """The id of the award that a stream is about."""
    return award.stream.partition("/")[2]


def _note(award: Recorded, standing: Standing) -> str | None:
    hidden = standing.status == "suspended" and not suspension_is_listed(award)
    return HIDDEN_SUSPENSION if hidden else None
