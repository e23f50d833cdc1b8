"""What the types of the wish cannot say, with a pointer to every bad field."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from issuance.achievements.endorsements import endorsement_faults
from issuance.achievements.model import NUMBERS, PublishAchievement, ResultDescription
from ledger.credentials.images import Picture, picture_from_data_uri
from ledger.credentials.lexical import decimal_text
from ledger.credentials.siblings import crowd_errors
from ledger.credentials.taxonomy import sector_of
from ledger.errors import FieldError, LedgerError, Malformed

# Above these a number is a slip of the pen.
_BELOW: Final = {"credits_available": 10_000, "ects": 1_000, "weight_percent": 101, "hours_per_week": 169}
_RANGES: Final = (
    ("workload_hours", "min", "max"),
    ("price", "min", "max"),
    ("duration", "min", "max"),
    ("duration", "hours_per_week_min", "hours_per_week_max"),
)


def check(wish: PublishAchievement) -> None:
    """Raises Malformed with a pointer to every field that cannot be right."""
    faults = [
        *_numbers(_own_parts(wish), ""),
        *_ranges(wish),
        *_weights(wish),
        *_words(wish),
        *_results(wish.result_descriptions),
        *endorsement_faults(wish.endorsements, wish.endorsement_jwts),
    ]
    if wish.image is not None and wish.image.startswith("data:"):
        try:
            picture_from_data_uri(wish.image)
        except LedgerError as refused:
            faults.append(FieldError("/image", refused.detail))
    if faults:
        raise Malformed("The achievement has fields that cannot be right.", errors=faults)


def check_document(document: dict[str, Any]) -> None:
    """Raises Malformed where the finished Achievement has more than six parts that no reader can tell apart."""
    faults = crowd_errors(document)
    if faults:
        raise Malformed("Too many parts of the achievement look the same.", errors=faults)


def picture_of_wish(wish: PublishAchievement) -> Picture | None:
    """The picture to store, where the wish brought one. Raises Malformed or TooLarge."""
    return picture_from_data_uri(wish.image) if wish.image is not None and wish.image.startswith("data:") else None


def _own_parts(wish: PublishAchievement) -> dict[str, Any]:
    """The wish without what others wrote."""
    return {name: value for name, value in msgspec.structs.asdict(wish).items() if name != "endorsements"}


def _numbers(value: Any, at: str) -> Iterator[FieldError]:
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, dict):
        for name, member in value.items():
            below = _BELOW.get(name.removesuffix("_min").removesuffix("_max"), 10_000_000)
            if name not in NUMBERS:
                yield from _numbers(member, f"{at}/{name}")
            elif member is not None and decimal_text(member, below=below) is None:
                yield FieldError(f"{at}/{name}", f"must be a number from 0 below {below} with at most two places")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _numbers(member, f"{at}/{index}")


def _ranges(wish: PublishAchievement) -> Iterator[FieldError]:
    for part, low, high in _RANGES:
        held = getattr(wish, part)
        first, last = (getattr(held, name, None) for name in (low, high))
        if (first is None) != (last is None):
            yield FieldError(f"/{part}/{low if first is None else high}", "stands with its counterpart only")
        elif _number(first) is not None and _number(last) is not None and _number(last) < _number(first):  # type: ignore[operator]
            yield FieldError(f"/{part}/{high}", f"is less than {low}")


def _number(value: object) -> Decimal | None:
    text = decimal_text(value, below=10_000_000) if isinstance(value, str | int | float) else None
    return None if text is None else Decimal(text)


def _weights(wish: PublishAchievement) -> Iterator[FieldError]:
    weights = [_number(assessment.weight_percent) for assessment in wish.assessments]
    given = [weight for weight in weights if weight is not None]
    if given and (len(given) < len(weights) or sum(given) != 100):
        yield FieldError("/assessments", "weights must be given for all or none, and add up to 100")


def _words(wish: PublishAchievement) -> Iterator[FieldError]:
    if wish.criteria.id is None and wish.criteria.narrative is None:
        yield FieldError("/criteria", "one of id and narrative is required")
    if wish.focus_area is not None and wish.sector not in (None, sector_of(wish.focus_area)):
        yield FieldError("/sector", "is not the sector of the focus area")
    if len(set(wish.tags)) < len(wish.tags):
        yield FieldError("/tags", "holds a tag twice")
    if wish.image is not None and not wish.image.startswith(("data:", "https://", "http://")):
        yield FieldError("/image", "must be a data URI or an address")


def _results(descriptions: Sequence[ResultDescription]) -> Iterator[FieldError]:
    yield from _twice([one.key for one in descriptions], "/result_descriptions", "key")
    yield from _twice([one.id for one in descriptions], "/result_descriptions", "id")
    for index, one in enumerate(descriptions):
        at = f"/result_descriptions/{index}"
        yield from _twice([level.key for level in one.levels], f"{at}/levels", "key")
        yield from _twice([level.id for level in one.levels], f"{at}/levels", "id")
        if len(set(one.allowed_values)) < len(one.allowed_values):
            yield FieldError(f"{at}/allowed_values", "holds a value twice")
        if one.required_value is not None and one.allowed_values and one.required_value not in one.allowed_values:
            yield FieldError(f"{at}/required_value", "is not among the allowed values")
        named = {name for level in one.levels for name in (level.key, level.id)}
        if one.required_level is not None and one.required_level not in named:
            yield FieldError(f"{at}/required_level", "names none of the levels")


def _twice(names: list[str | None], at: str, field: str) -> Iterator[FieldError]:
    for index, name in enumerate(names):
        if name is not None and name in names[:index]:
            yield FieldError(f"{at}/{index}/{field}", "stands there twice")
