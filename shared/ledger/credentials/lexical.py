"""The written forms inside documents: URIs, time stamps, language tags, texts and decimal numbers.

Rules. What we write ourselves is narrower than what we read: URIs are ASCII of a few schemes (RDF libraries drop or
mangle others, so that the text would not be signed), texts hold no control characters and no direction overrides,
times are in UTC.
"""

import math
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeGuard

_PART: Final = r"(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*"
_HOST: Final = r"[A-Za-z0-9](?:[A-Za-z0-9.\-]*[A-Za-z0-9])?(?::[0-9]{1,5})?"
URI_PATTERN: Final = rf"^(?:https?|urn|did|mailto|tel|data):{_PART}(?:#{_PART})?$"
URL_PATTERN: Final = rf"^https?://{_HOST}(?:[/?#]{_PART}(?:#{_PART})?)?$"
DID_PATTERN: Final = r"^did:[a-z0-9]+:[A-Za-z0-9._%:\-]*[A-Za-z0-9._%\-]$"

# C0 but tab, LF, CR; DEL and C1; the two noncharacters that canonical N-Quads escape; and the overrides that make a
# name read as another one. Ordinary right-to-left text needs none of them.
_BANNED: Final = "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\ufffe\uffff\u202a-\u202e\u2066-\u2069"
TEXT_PATTERN: Final = rf"^[^{_BANNED}]*$"
LINE_PATTERN: Final = rf"^[^\t\n\r{_BANNED}]*[^\s{_BANNED}][^\t\n\r{_BANNED}]*$"
LANGUAGE_PATTERN: Final = r"^[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$"

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`\x00-\x20\x7f]+")
_STAMP = re.compile(
    r"-?[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
)
_OURS = re.compile(URI_PATTERN)
_TAG = re.compile(LANGUAGE_PATTERN)


def is_uri(value: Any) -> TypeGuard[str]:
    """Whether `value` is one absolute URI or IRI of any scheme, as a verifier meets it."""
    return isinstance(value, str) and _ABSOLUTE.fullmatch(value) is not None


def is_own_uri(value: Any) -> bool:
    """Whether `value` is a URI that we would write into a document: ASCII and of a listed scheme."""
    return isinstance(value, str) and not value.endswith("\n") and _OURS.search(value) is not None


def is_language(value: Any) -> bool:
    """Whether `value` is a language tag as Open Badges writes them (`en`, `pt-BR`, `zh-Hant`)."""
    return isinstance(value, str) and not value.endswith("\n") and _TAG.search(value) is not None


def is_label(value: Any) -> bool:
    """A string, or a language value object, or an array of these (VC Data Model 2.0 §11.1)."""
    if isinstance(value, list):
        return bool(value) and all(is_label(member) and not isinstance(member, list) for member in value)
    if not isinstance(value, dict):
        return isinstance(value, str)
    known = value.keys() <= {"@value", "@language", "@direction"}
    return known and "@value" in value and all(isinstance(part, str) for part in value.values())


def read_time(value: Any) -> datetime | None:
    """The aware time behind an XML Schema dateTimeStamp (zone mandatory), or None; finer than microseconds is cut."""
    found = _STAMP.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    try:
        return datetime.fromisoformat(found[0])
    except ValueError:
        return None


def time_text(at: datetime) -> str:
    """`at` (aware) as a time stamp in UTC, `2026-01-31T12:00:00Z`; fractions only where there are any."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone cannot stand in a document")
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def decimal_text(value: str | int | float, *, below: int = 10_000) -> str | None:
    """A number of at least 0 with at most two places as a plain decimal string (`4.5`, `3`), or None if it is none.

    Credits and amounts are strings inside the ledger, so that no binary fraction is ever stored.
    """
    if isinstance(value, bool) or (isinstance(value, str) and re.fullmatch(r"\d{1,12}(\.\d{1,2})?", value) is None):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    if not 0 <= number < below or number != number.quantize(Decimal("0.01")):
        return None
    return f"{number.quantize(Decimal('0.01')):f}".rstrip("0").rstrip(".")


def credit_number(text: str) -> int | float:
    """The JSON number for a decimal string: an integer where whole, so that every JSON writer prints it alike."""
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else float(number)
