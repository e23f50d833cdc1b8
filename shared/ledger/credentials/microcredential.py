"""A microcredential in figures and elements: hours, an ECTS estimate, the price of a credit, and which of the European
elements an achievement tells (Council Recommendation 2022/C 243/02, annex I).

Everything is computed from an achievement's document and details, as published; figures are exact decimals and are
rounded only where they are shown. An estimate is never mixed with ECTS that an institution vouches for.
"""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import msgspec

_HOURS_A_CREDIT: Final = (Decimal(25), Decimal(30))


class Span(msgspec.Struct, frozen=True):
    """From the lowest to the highest, both exact."""

    low: Decimal
    high: Decimal

    def shown(self, places: int = 1) -> tuple[str, str]:
        """Both ends rounded for people, half up: `("0.3", "0.7")`."""
        step = Decimal(1).scaleb(-places)
        return (
            f"{self.low.quantize(step, ROUND_HALF_UP).normalize():f}",
            f"{self.high.quantize(step, ROUND_HALF_UP).normalize():f}",
        )


def hours(duration: Mapping[str, Any]) -> Span | None:
    """Hours in all of a duration in weeks or months with hours a week; None where those are not known."""
    weekly = duration.get("hours_per_week_min"), duration.get("hours_per_week_max")
    if weekly[0] is None or weekly[1] is None:
        return None
    low, high = (
        # Three months are thirteen weeks; multiplied before divided, since a third has no exact decimal.
        Decimal(str(duration[end])) * Decimal(str(week)) * (13 if duration["unit"] == "months" else 3) / 3
        for end, week in zip(("min", "max"), weekly, strict=True)
    )
    return Span(low, high)


def ects_estimate(learning: Span) -> Span:
    """ECTS that so many hours would make at 25 to 30 hours a credit; an estimate, whoever shows it says so."""
    return Span(learning.low / _HOURS_A_CREDIT[1], learning.high / _HOURS_A_CREDIT[0])


def workload(details: Mapping[str, Any]) -> Span | None:
    """The hours that the institution states, else those that follow from the duration; None where neither is known."""
    stated = details.get("workload_hours")
    if stated is not None:
        return Span(Decimal(str(stated["min"])), Decimal(str(stated["max"])))
    return hours(details["duration"]) if details.get("duration") else None


def price_per_ects(details: Mapping[str, Any]) -> Span | None:
    """What one recognised credit costs; None unless price and ECTS are both stated facts."""
    price, credit = details.get("price"), details.get("ects")
    if price is None or credit is None or Decimal(str(credit)) == 0:
        return None
    return Span(Decimal(str(price["min"])) / Decimal(str(credit)), Decimal(str(price["max"])) / Decimal(str(credit)))


class EuElement(msgspec.Struct, frozen=True):
    """One element of the Recommendation: its name, whether it is mandatory, and whether it is told.

    `where` is `achievement` for what the definition tells, `award` for what every award tells by itself.
    """

    element: str
    mandatory: bool
    present: bool
    where: str = "achievement"


def eu_elements(
    document: Mapping[str, Any], details: Mapping[str, Any], *, country: str | None = None
) -> list[EuElement]:
    """The Recommendation's elements in its order; `country` is the institution's, where the details name none."""
    told = {**details, "country": details.get("country") or details.get("region") or country}
    return [
        *(EuElement(name, mandatory, present=True, where="award") for name, mandatory in _OF_THE_AWARD),
        *(EuElement(name, mandatory, bool(tells(document, told))) for name, mandatory, tells in _ELEMENTS),
    ]


_Tells = Callable[[Mapping[str, Any], Mapping[str, Any]], Any]


def _detail(*names: str) -> _Tells:
    return lambda document, details: any(details.get(name) for name in names)


_OF_THE_AWARD: Final = (("learner", True), ("awarding_body", True), ("date", True))
_ELEMENTS: Final[tuple[tuple[str, bool, _Tells], ...]] = (
    ("title", True, lambda document, details: document.get("name")),
    ("country_or_region", True, _detail("country")),
    ("learning_outcomes", True, _detail("learning_outcomes")),
    ("workload", True, _detail("workload_hours", "ects")),
    ("level", True, _detail("eqf_level")),
    ("type_of_assessment", True, _detail("assessments")),
    ("form_of_participation", True, _detail("participation_form")),
    ("quality_assurance", True, _detail("quality_assurance")),
    ("prerequisites", False, _detail("prerequisites")),
    ("supervision_and_identity", False, _detail("supervision_and_identity")),
    ("grade", False, lambda document, details: document.get("resultDescription")),
    ("stackability", False, _detail("stackability")),
    ("further_information", False, _detail("further_information")),
)
