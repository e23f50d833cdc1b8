"""Awards: an achievement version, a learner, a signed credential, once. Pure rules over the award's stream.

Rules. An award pins an achievement version, the profile that the institution had, and the keys that sign. Everything
about the learner is a personal value beside the event, sealed before the append. The credential's URL holds a random
128-bit capability; the award id opens public facts only. Times are RFC 3339 with a zone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

import msgspec

from issuance import institutions
from issuance.documents import signable_digest
from ledger import errors, ids
from ledger.approvals.rules import ApprovalRequired
from ledger.codec import Fact, Recorded, format_time
from ledger.credentials.identity import normal_identity
from ledger.credentials.lexical import DID_PATTERN, LINE_PATTERN, TEXT_PATTERN, URI_PATTERN, decimal_text
from ledger.errors import FieldError
from ledger.events import (
    AchievementPublished,
    AchievementWithdrawn,
    Awarded,
    AwardRevoked,
    DocumentIssued,
    LearnerErased,
    StatusEntry,
)
from ledger.identifiers import Identifier, identifier_of

LANGUAGE_PATTERN = r"^[a-z]{2,3}(?:-[A-Z]{2})?$"
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000, pattern=TEXT_PATTERN)]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=LINE_PATTERN)]
Uri = Annotated[str, msgspec.Meta(pattern=URI_PATTERN, max_length=2000)]
Email = Annotated[str, msgspec.Meta(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
ExternalId = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=LINE_PATTERN)]
OnDuplicate = Literal["refuse", "return", "allow"]
ResultStatus = Literal["Completed", "Enrolled", "Failed", "InProgress", "OnHold", "Provisional", "Withdrew"]
AWARD_ID = r"^awd_[a-z2-7]{26}$"
Language = Annotated[str, msgspec.Meta(pattern=LANGUAGE_PATTERN, description="Such as de or pt-BR.")]
FOUR_EYES = "awards"  # what the institution's policy calls them
CREDITS_BELOW = 1_000_000
Decimal = Annotated[str, msgspec.Meta(pattern=r"^(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,2})?$")]


class Learner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is awarded: at least one of e-mail, DID and student id. In the credential the e-mail or student id stands
    hashed with a salt unless `identity` asks for plain text; a DID is the subject's id. Notices go to the e-mail, in
    `language` where there are texts in it."""

    email: Email | None = None
    did: Annotated[str, msgspec.Meta(pattern=DID_PATTERN, max_length=500)] | None = None
    student_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None
    name: Line | None = None
    identity: Literal["hashed", "plain"] = "hashed"
    language: Language | None = None


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the learner did: Open Badges 3.0 Evidence. At least one of `id` (its address) and `narrative`."""

    id: Uri | None = None
    name: Line | None = None
    description: Text | None = None
    narrative: Text | None = None
    genre: Line | None = None
    audience: Line | None = None


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An outcome against a result description of the achievement: Open Badges 3.0 Result."""

    result_description: Uri | None = None
    value: Line | None = None
    achieved_level: Uri | None = None
    status: ResultStatus | None = None


class AwardLearner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An award. `achievement_version` defaults to the newest that is not withdrawn; `valid_from` to now. The
    learner is told at once, or not before `notify_after`.

    `external_id` is the institution's own name for the award, and can be given once. `on_duplicate` says what happens
    when the learner holds this achievement already by an award that was not revoked: `refuse` (409), `return` that
    award, or `allow` a further one. `renews` is an earlier award of the same achievement to the same learner, which is
    no duplicate and stays as it is until its own end; `renew_by` says by when this one should be renewed. Both are
    public.
    """

    achievement_id: Annotated[str, msgspec.Meta(pattern=r"^ach_[a-z2-7]{26}$")]
    learner: Learner
    achievement_version: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    awarded_date: datetime | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    narrative: Text | None = None
    evidence: Annotated[list[Evidence], msgspec.Meta(max_length=50)] = []
    results: Annotated[list[Result], msgspec.Meta(max_length=50)] = []
    credits_earned: Decimal | int | float | None = None
    license_number: Line | None = None
    term: Line | None = None
    external_id: ExternalId | None = None
    on_duplicate: OnDuplicate = "refuse"
    renews: Annotated[str, msgspec.Meta(pattern=AWARD_ID)] | None = None
    renew_by: datetime | None = None
    notify_after: datetime | None = None


class Draws(msgspec.Struct, frozen=True, kw_only=True):
    """What an award needs from outside: its pseudonym, its capability and salt, its places in the status lists."""

    pseudonym: str
    subject_id: str  # what the subject is called in credentials when it has no DID: a urn:uuid: of the pseudonym
    capability: str  # 22 base64url characters of 16 random bytes
    salt: str
    status: list[StatusEntry]
    approval: str | None = None  # the proposal that a second key approved


class AlreadyAwarded(errors.Conflict):
    """The learner holds this achievement already, or the external id names another award."""

    code, title = "already_awarded", "That was awarded already"


class Overtaken(errors.Conflict):
    """Somebody else made this award, or erased the learner, in this very moment: look again."""


class DocumentFor(Protocol):
    """What builds the unsigned credential from the facts of an award or a correction (`issuance.documents`)."""

    def __call__(
        self,
        event: DocumentIssued,
        personal: Mapping[str, Any],
        institution: institutions.Institution,
        published: Recorded,
    ) -> dict[str, Any]: ...


def identifiers_of(learner: Learner) -> list[Identifier]:
    """The ways in which this learner is named, e-mail in lower case. Raises Malformed when there is none."""
    named = {"email": learner.email, "did": learner.did, "student_id": learner.student_id}
    found = [identifier_of(kind, value) for kind, value in named.items() if value]
    if not found:
        where = [FieldError("/learner", "one of email, did and student_id is required")]
        raise errors.Malformed("The learner is not identified.", errors=where)
    return found


def check(wish: AwardLearner, *, at: datetime) -> None:
    """What the types cannot say. Raises Malformed with a pointer to every bad field."""
    bad = [
        FieldError(f"/{name}", "the time needs a zone, such as Z")
        for name in ("awarded_date", "valid_from", "valid_until", "renew_by", "notify_after")
        if (moment := getattr(wish, name)) is not None and moment.tzinfo is None
    ]
    if not bad and wish.valid_until is not None and wish.valid_until <= (wish.valid_from or at):
        bad.append(FieldError("/valid_until", "it must end after it begins"))
    if not bad and wish.renew_by is not None and wish.renew_by < (wish.valid_from or at):
        bad.append(FieldError("/renew_by", "it cannot be due for renewal before it begins"))
    if wish.credits_earned is not None and _credits(wish) is None:
        bad.append(FieldError("/credits_earned", "must be a number from 0 with at most two places"))
    for i, evidence in enumerate(wish.evidence):
        if evidence.id is None and evidence.narrative is None:
            bad.append(FieldError(f"/evidence/{i}", "one of id and narrative is required"))
    if bad:
        raise errors.Malformed("The award has fields that cannot be right.", errors=bad)


def award_id_for(secret: bytes, tenant: str, pseudonym: str, achievement_id: str, number: int) -> str:
    """The id of a learner's award of an achievement, the first (0), second (1) …: so two requests for the same thing
    meet in one stream, and one of them learns of the other."""
    return ids.text_id("awd", ids.keyed(secret, "credledger/award/v1", tenant, pseudonym, achievement_id, str(number)))


def is_revoked(standing_history: Sequence[Recorded]) -> bool:
    """Whether an award was withdrawn for good."""
    return any(isinstance(recorded.event, AwardRevoked) for recorded in standing_history)


def version_to_award(wanted: int | None, history: Sequence[Recorded]) -> Recorded:
    """The published version that is awarded. Raises NotFound or Refused (withdrawn)."""
    published = {r.event.achievement_version: r for r in history if isinstance(r.event, AchievementPublished)}
    withdrawn = {r.event.achievement_version for r in history if isinstance(r.event, AchievementWithdrawn)}
    if not published:
        raise errors.NotFound("There is no such achievement.")
    open_versions = [v for v in published if v not in withdrawn]
    version = wanted if wanted is not None else max(open_versions, default=max(published))
    if version not in published:
        raise errors.NotFound(f"This achievement has no version {version}.")
    if version in withdrawn:
        raise errors.Refused(f"Version {version} of this achievement was withdrawn; it can no longer be awarded.")
    return published[version]


def award(
    wish: AwardLearner,
    history: Sequence[Recorded],
    institution_history: Sequence[Recorded],
    achievement_history: Sequence[Recorded],
    learner_history: Sequence[Recorded],
    *,
    draws: Draws,
    document_for: DocumentFor,
    at: datetime,
) -> list[Fact]:
    """The award, with the digest of the credential that will be signed for it.

    Raises NotFound, Refused (institution not active, version withdrawn, results that do not fit), ApprovalRequired
    where a second key has to approve, or Overtaken when another award lies in this stream or the learner's record is
    being erased at this moment.
    """
    if history:
        raise Overtaken("Another award of this was made at the same time; try again.")
    institution = institutions.active_institution(institution_history)
    published = version_to_award(wish.achievement_version, achievement_history)
    if published.tenant != institution.id:
        raise errors.NotFound("There is no such achievement.")
    if FOUR_EYES in institution.four_eyes and draws.approval is None:
        raise ApprovalRequired("This institution lets a second key approve its awards.")
    if any(isinstance(r.event, LearnerErased) for r in learner_history):
        raise Overtaken("This learner's record is being erased; try again.")
    check_results(wish.results, published)
    event = Awarded(
        achievement_id=wish.achievement_id,
        achievement_version=published.event.achievement_version,  # type: ignore[attr-defined]
        profile_version=institution.version,
        keys=[institution.key(algorithm).id for algorithm in institutions.ALGORITHMS],
        issued=format_time(at),
        awarded_date=format_time(wish.awarded_date or at),
        valid_from=format_time(wish.valid_from or at),
        valid_until=format_time(wish.valid_until) if wish.valid_until else None,
        status=draws.status,
        renews=wish.renews,
        renew_by=format_time(wish.renew_by) if wish.renew_by else None,
        notify_after=format_time(wish.notify_after) if wish.notify_after else None,
        approval=draws.approval,
    )
    personal = personal_values(wish, draws)
    digest = signable_digest(document_for(event, personal, institution, published))
    return [
        Fact(
            event=event,
            at=wish.awarded_date or at,
            subject=draws.pseudonym,
            personal=personal,
            document_digest=digest,
        )
    ]


def personal_values(wish: AwardLearner, draws: Draws) -> dict[str, Any]:
    """What is sealed beside the award, by name; absent where nothing was given."""
    named = identifiers_of(wish.learner)
    primary = named[0]
    if wish.learner.did is not None:  # the DID is the subject itself, nothing needs hashing
        primary = Identifier("did", wish.learner.did)
    values: dict[str, Any] = {
        "capability": draws.capability,
        "identity": {
            "kind": primary.kind,
            "value": primary.value,
            "salt": draws.salt,
            "hashed": wish.learner.identity == "hashed",
            "subject_id": wish.learner.did or draws.subject_id,
        },
        "identifiers": msgspec.to_builtins(named) if len(named) > 1 else None,
        "name": wish.learner.name,
        "narrative": wish.narrative,
        "evidence": msgspec.to_builtins(wish.evidence),
        "results": msgspec.to_builtins(wish.results),
        "credits_earned": _credits(wish),
        "license_number": wish.license_number,
        "term": wish.term,
        "external_id": wish.external_id,
        "email": _further_email(wish.learner, primary),
        "language": wish.learner.language,
    }
    return {name: value for name, value in values.items() if value not in (None, [])}


def _further_email(learner: Learner, primary: Identifier) -> str | None:
    """The address for notices, where it is not the identity already."""
    return None if learner.email is None or primary.kind == "email" else normal_identity("email", learner.email)


def _credits(wish: AwardLearner) -> str | None:
    """The credits as the decimal text that is sealed; None also for what is no such number."""
    return None if wish.credits_earned is None else decimal_text(wish.credits_earned, below=CREDITS_BELOW)


def check_results(results: Sequence[Result], published: Recorded, at: str = "/results") -> None:
    """Each result names a description, and a level, of this very version (Open Badges 3.0, Result). Raises Refused
    with pointers below `at`."""
    described = {d["id"]: d for d in published.event.document.get("resultDescription", [])}  # type: ignore[attr-defined]
    bad = []
    for i, result in enumerate(results):
        description = described.get(result.result_description) if result.result_description else None
        if result.result_description is not None and description is None:
            bad.append(FieldError(f"{at}/{i}/result_description", "this version has no such result description"))
        levels = {level["id"] for level in (description or {}).get("rubricCriterionLevel", [])}
        if result.achieved_level is not None and result.achieved_level not in levels:
            bad.append(FieldError(f"{at}/{i}/achieved_level", "the result description has no such level"))
        if description is not None and description.get("resultType") == "Status" and result.status is None:
            bad.append(FieldError(f"{at}/{i}/status", "a result of type Status needs a status"))
    if bad:
        raise errors.Refused("The results do not fit the achievement.", errors=bad)
