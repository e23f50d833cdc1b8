"""Facts about assessment results. Category `result` (issuance)."""

from typing import ClassVar

from ledger.events.base import Event


class ResultRecorded(Event, frozen=True, kw_only=True):
    """A learner (the envelope's subject) was assessed against an achievement version.

    Sealed beside it: `outcome` (value, status, achieved_level) and, where it came as an xAPI statement, `statement`.
    `result_description` is the id inside the achievement; `assessed_at` RFC 3339 in UTC; `source` names the system that
    assessed. `origin` is an opaque name of what the result was made from, `mapping` what made it.
    """

    TOPIC: ClassVar[str] = "result.recorded"
    PRIVATE: ClassVar[frozenset[str]] = frozenset({"origin"})

    achievement_id: str
    achievement_version: int
    assessed_at: str
    result_description: str | None = None
    source: str | None = None
    origin: str | None = None
    mapping: str | None = None
    mapping_version: int | None = None


class ResultCorrected(Event, frozen=True, kw_only=True):
    """A result reads otherwise from now on: its `outcome`, whole, is sealed beside this event.

    `assessed_at` only where that time was wrong too. A free text is sealed as `reason`.
    """

    TOPIC: ClassVar[str] = "result.corrected"

    reason_code: str
    assessed_at: str | None = None


class ResultWithdrawn(Event, frozen=True, kw_only=True):
    """A result counts no longer, for good. A free text is sealed beside it as `reason`."""

    TOPIC: ClassVar[str] = "result.withdrawn"

    reason_code: str


EVENTS: tuple[type[Event], ...] = (ResultRecorded, ResultCorrected, ResultWithdrawn)
