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


class Awarded(Event, frozen=True, kw_only=True):
    """A learner (the envelope's subject) was awarded an achievement version.

    Sealed beside it: `capability`, `r2`, and as given `identity`, `name`, `narrative`, `evidence`, `results`,
    `credits_earned`, `license_number`, `term`. `profile_version` is the version of the institution's stream whose
    profile stands in the document; `keys` are the ids of the keys that sign; times are RFC 3339 in UTC.
    """

    TOPIC: ClassVar[str] = "award.awarded"
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


class LearnerErased(Event, frozen=True, kw_only=True):
    """One institution's record of a learner was erased: keys, values, documents; the history and its proofs stay."""

    TOPIC: ClassVar[str] = "learner.erased"

    reason_code: str


EVENTS: tuple[type[Event], ...] = (AchievementPublished, AchievementWithdrawn, Awarded, LearnerErased)
