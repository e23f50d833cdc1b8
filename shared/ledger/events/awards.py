"""Facts about achievements, learners and awards. Categories `achievement`, `learner` and `award` (issuance)."""

from typing import Any, ClassVar

import msgspec

from ledger.events.base import Event


class AchievementPublished(Event, frozen=True, kw_only=True):
    """A version of an achievement, immutable: an award pins one.

    `document` is the Open Badges 3.0 Achievement object as it stands in every credential of this version; `details`
    holds the elements that Open Badges has no place for (EU microcredential elements, price, duration, facets).
    """

    TOPIC: ClassVar[str] = "achievement.published"

    achievement_version: int
    document: dict[str, Any]
    details: dict[str, Any] = {}
    image_sha256: str | None = None
    image_media_type: str | None = None


class AchievementWithdrawn(Event, frozen=True, kw_only=True):
    """A version may no longer be awarded; what was awarded keeps its meaning."""

    TOPIC: ClassVar[str] = "achievement.withdrawn"

    achievement_version: int
    reason_code: str


class StatusEntry(msgspec.Struct, frozen=True):
    """One place in one status list, taken for ever: the list, its purpose and the index in it."""

    list_id: str
    purpose: str
    index: int


class DocumentIssued(Event, frozen=True, kw_only=True):
    """What one credential of an award follows from; the envelope's subject is the learner.

    Sealed beside it: `capability`, `r2`, and as given `identity`, `name`, `narrative`, `evidence`, `results`,
    `credits_earned`, `license_number`, `term`, `email`, `language`; `identifiers` where the learner was named in more
    ways than `identity` says. `profile_version` is the version of the institution's stream whose profile stands in the
    document; `keys` are the ids of the keys that sign; times are RFC 3339 in UTC. `renew_by` is when the award should
    be renewed at the latest.
    """

    PRIVATE: ClassVar[frozenset[str]] = frozenset({"status"})

    achievement_id: str
    achievement_version: int
    profile_version: int
    keys: list[str]
    issued: str  # when this document was decided: the time of its proofs
    awarded_date: str
    valid_from: str
    valid_until: str | None = None
    status: list[StatusEntry] = []
    builder: int = 1
    renew_by: str | None = None


class Awarded(DocumentIssued, frozen=True, kw_only=True):
    """A learner (the envelope's subject) was awarded an achievement version. `renews` is the earlier award that this
    one renews; that one stays as it is."""

    TOPIC: ClassVar[str] = "award.awarded"

    renews: str | None = None
    notify_after: str | None = None  # the learner is not told before
    approval: str | None = None  # the proposal that a second key approved


class AwardCorrected(DocumentIssued, frozen=True, kw_only=True):
    """The same award has a new document, and the one before counts no longer; standing and awarded date stay.

    `superseded` are the places in status lists of the document that it replaces: its revocation entry is set by this
    event, for ever. Sealed beside it is everything that the new document needs, whole, and `reason` where it was given.
    """

    TOPIC: ClassVar[str] = "award.corrected"
    PRIVATE: ClassVar[frozenset[str]] = frozenset({"status", "superseded"})

    reason_code: str
    superseded: list[StatusEntry] = []


class LearnerUpdated(Event, frozen=True, kw_only=True):
    """An institution's record of a learner reads otherwise from now on; documents already issued stay as they are.

    `changed` names what differs: `name`, `email`, `did`, `student_id`. Sealed beside it: `name` and `identifiers` as
    they read now, whole, and `removed`, the identifiers that name this learner no longer.
    """

    TOPIC: ClassVar[str] = "learner.updated"

    changed: list[str]


class LearnerErased(Event, frozen=True, kw_only=True):
    """One institution's record of a learner was erased: keys, values, documents; the history and its proofs stay."""

    TOPIC: ClassVar[str] = "learner.erased"

    reason_code: str


EVENTS: tuple[type[Event], ...] = (
    AchievementPublished,
    AchievementWithdrawn,
    Awarded,
    AwardCorrected,
    LearnerUpdated,
    LearnerErased,
)
