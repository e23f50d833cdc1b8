"""An achievement in words: the European elements with what is told of each, hours, ECTS, price. ● Pure.

What an institution does not state stays None, and the page says "not stated": nothing is made up, and an estimate is
called one.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from ledger.credentials.microcredential import (
    Span,
    ects_estimate,
    eu_elements,
    price_per_ects,
    workload,
)
from ledger.credentials.taxonomy import ASSESSMENT_METHODS, CREDENTIAL_TYPES, SECTORS

Details = Mapping[str, Any]


class Element(msgspec.Struct, frozen=True):
    """A row of the table: what the Recommendation calls it, whether it is mandatory, and what is told of it."""

    name: str
    mandatory: bool
    told: str | None


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """What stands above the table; None where it is not known."""

    credential_type: str | None
    sector: str | None
    focus: str | None
    duration: str | None
    hours: str | None
    ects: str | None
    ects_is_estimate: bool
    price: str | None
    price_per_ects: str | None
    delivery: str | None
    language: str | None
    provider: Mapping[str, Any] | None


def elements_of(document: Mapping[str, Any], details: Details, country: str | None = None) -> list[Element]:
    """The Recommendation's elements in its order, in words."""
    return [
        Element(
            name=_LABELS[found.element],
            mandatory=found.mandatory,
            told=_AWARD_TELLS[found.element]
            if found.where == "award"
            else _words(found.element, document, details, country)
            if found.present
            else None,
        )
        for found in eu_elements(document, details, country=country)
    ]


def overview_of(details: Details) -> Overview:
    """The figures and facets in words."""
    learning = workload(details)
    stated = details.get("ects")
    estimate = _range(ects_estimate(learning)) if stated is None and learning is not None else None
    price = details.get("price")
    sector = details.get("sector")
    kind = details.get("credential_type")
    return Overview(
        credential_type=CREDENTIAL_TYPES[kind].label if kind in CREDENTIAL_TYPES else None,
        sector=SECTORS[sector].label if sector in SECTORS else None,
        focus=details.get("focus"),
        duration=_duration(details),
        hours=None if learning is None else f"{_range(learning, 0)} hours",
        ects=str(stated) if stated is not None else estimate,
        ects_is_estimate=stated is None and estimate is not None,
        price=_price(price) if price else None,
        price_per_ects=_price_of_a_credit(details),
        delivery=_plain(details.get("delivery_mode")),
        language=details.get("language"),
        provider=details.get("provider"),
    )


def _words(element: str, document: Mapping[str, Any], details: Details, country: str | None) -> str:
    if element == "country_or_region":
        return ", ".join(filter(None, [details.get("region"), details.get("country") or country]))
    return _TELL[element](document, details)


def _workload(_: Mapping[str, Any], details: Details) -> str:
    stated, credit = details.get("workload_hours"), details.get("ects")
    said = [f"{_ends(stated)} hours" if stated else None, f"{credit} ECTS" if credit else None]
    return ", ".join(filter(None, said))


def _assessments(_: Mapping[str, Any], details: Details) -> str:
    return "; ".join(_assessment(one) for one in details["assessments"])


def _assessment(one: Details) -> str:
    notes = [
        f"{one['weight_percent']} %" if one.get("weight_percent") is not None else None,
        f"supervision: {_plain(one['supervision'])}" if one.get("supervision") else None,
        f"graded: {one['grading']}" if one.get("grading") else None,
    ]
    name = one.get("title") or ASSESSMENT_METHODS.get(one["method"], one["method"])
    said = ", ".join(filter(None, notes))
    return f"{name} ({said})" if said else str(name)


def _quality(_: Mapping[str, Any], details: Details) -> str:
    quality = details["quality_assurance"]
    return ": ".join(filter(None, [quality["kind"], quality.get("body"), quality.get("statement")]))


def _duration(details: Details) -> str | None:
    duration = details.get("duration")
    if not duration:
        return None
    said = f"{_ends(duration)} {duration['unit']}"
    low, high = duration.get("hours_per_week_min"), duration.get("hours_per_week_max")
    return said if low is None else f"{said}, {_ends({'min': low, 'max': high})} hours a week"


def _price(price: Details) -> str:
    ends = _ends(price)
    return "free of charge" if ends == "0" else f"{ends} {price['currency']}"


def _price_of_a_credit(details: Details) -> str | None:
    span = price_per_ects(details)
    return f"{_range(span, 0)} {details['price']['currency']}" if span is not None and span.high else None


def _ends(span: Details) -> str:
    low, high = str(span["min"]), str(span["max"])
    return low if low == high else f"{low}–{high}"


def _range(span: Span, places: int = 1) -> str:
    low, high = span.shown(places)
    return low if low == high else f"{low}–{high}"


def _plain(tag: str | None) -> str | None:
    return None if tag is None else tag.replace("_", " ")


def _tag(name: str) -> Callable[[Mapping[str, Any], Details], str]:
    return lambda _, details: str(_plain(str(details[name])))


_LABELS: Final = {
    "learner": "Learner",
    "awarding_body": "Awarding body",
    "date": "Date of issue",
    "title": "Title",
    "country_or_region": "Country or region",
    "learning_outcomes": "Learning outcomes",
    "workload": "Workload",
    "level": "Level",
    "type_of_assessment": "Type of assessment",
    "form_of_participation": "Form of participation",
    "quality_assurance": "Quality assurance",
    "prerequisites": "Prerequisites",
    "supervision_and_identity": "Supervision and identity check",
    "grade": "Grade",
    "stackability": "Stackability",
    "further_information": "Further information",
}
_AWARD_TELLS: Final = {
    "learner": "stated in every award",
    "awarding_body": "stated in every award",
    "date": "stated in every award",
}
_TELL: Final[dict[str, Callable[[Mapping[str, Any], Details], str]]] = {
    "title": lambda document, _: str(document["name"]),
    "learning_outcomes": lambda _, details: "; ".join(one.rstrip(".") for one in details["learning_outcomes"]),
    "workload": _workload,
    "level": lambda _, details: f"EQF {details['eqf_level']}",
    "type_of_assessment": _assessments,
    "form_of_participation": _tag("participation_form"),
    "quality_assurance": _quality,
    "prerequisites": lambda _, details: str(details["prerequisites"]),
    "supervision_and_identity": _tag("supervision_and_identity"),
    "grade": lambda document, _: ", ".join(one["name"] for one in document["resultDescription"]),
    "stackability": _tag("stackability"),
    "further_information": lambda _, details: str(details["further_information"]),
}
