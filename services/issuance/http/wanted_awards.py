"""Which awards a list is to hold: the query parameters of `GET /v1/awards`, and the statement that they make."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar.params import QueryParameter

from ledger.errors import Malformed

Filter = Annotated[str | None, QueryParameter(max_length=200)]
From = Annotated[datetime | None, QueryParameter(description="From this moment on: RFC 3339 with a zone.")]
Before = Annotated[datetime | None, QueryParameter(description="Before this moment: RFC 3339 with a zone.")]


class WantedAwards(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. `awarded` is when it holds in the world, `recorded` when this ledger knew: from … before."""

    external_id: str | None
    learner_id: str | None
    achievement_id: str | None
    standing: str | None
    awarded: tuple[datetime | None, datetime | None]
    recorded: tuple[datetime | None, datetime | None]

    def query(self, tenant: str, position: int | None, before: int, limit: int) -> tuple[Any, ...]:
        """The statement and its arguments; `position` is that of the award with the external id, where one is asked
        for."""
        conditions, arguments = ["tenant = $1", "position < $2"], [tenant, before, limit]
        asked = {
            "position =": position,
            "pseudonym =": self.learner_id,
            "achievement_id =": self.achievement_id,
            "standing =": self.standing,
            "awarded >=": self.awarded[0],
            "awarded <": self.awarded[1],
            "recorded_at >=": self.recorded[0],
            "recorded_at <": self.recorded[1],
        }
        for condition, value in asked.items():
            if value is not None:
                arguments.append(value)
                conditions.append(f"{condition} ${len(arguments)}")
        return f"{LIST} WHERE {' AND '.join(conditions)} ORDER BY position DESC LIMIT $3", *arguments


async def wanted_awards(
    external_id: Filter = None,
    learner_id: Filter = None,
    achievement_id: Filter = None,
    standing: Annotated[Literal["valid", "suspended", "revoked"] | None, QueryParameter()] = None,
    awarded_from: From = None,
    awarded_before: Before = None,
    recorded_from: From = None,
    recorded_before: Before = None,
) -> WantedAwards:
    """The dependency `wanted`. Raises Malformed for a time without a zone."""
    times = {
        "awarded_from": awarded_from,
        "awarded_before": awarded_before,
        "recorded_from": recorded_from,
        "recorded_before": recorded_before,
    }
    for name, moment in times.items():
        if moment is not None and moment.tzinfo is None:
            raise Malformed(f"The parameter {name} is a moment with a zone, such as 2026-01-31T12:00:00Z.")
    return WantedAwards(
        external_id=external_id,
        learner_id=learner_id,
        achievement_id=achievement_id,
        standing=standing,
        awarded=(awarded_from, awarded_before),
        recorded=(recorded_from, recorded_before),
    )


LIST = "SELECT award_id, position, pseudonym, achievement_id, standing, awarded, recorded_at FROM issuance.awards"
