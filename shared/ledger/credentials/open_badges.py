"""The schema check of Open Badges 3.0: every fault of a document, each with its JSON pointer.

No package ships 1EdTech's JSON Schemas, so the standard's tables (`ledger.credentials.tables`) are checked here, and
what 1EdTech's public validator asks besides: criteria with `id` or `narrative`, a subject with `id` or `identifier`,
an issuer that is a Profile, results that point into the awarded achievement.

There are two published schemas. A document that names the `json-ld` one is held to it: arrays even with one member. One
that names the `json` one, or none, may write a single `type`, `proof`, `credentialSchema` or `termsOfUse` bare. A
document that names no Open Badges schema may also carry several status entries, as the VC Data Model allows.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from ledger.credentials.data_model import VC_1_1
from ledger.credentials.lexical import is_label, is_language, is_uri, read_time
from ledger.credentials.tables import TABLES, TABLES_1_1, VALUE_LISTS, WITHOUT_EXTENSIONS, Field, Table
from ledger.errors import FieldError

OB_CONTEXTS: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context"
SCHEMA_JSON_LD: Final = (
    "https://purl.imsglobal.org/spec/ob/v3p0/schema/json-ld/ob_v3p0_achievementcredential_schema.json"
)
BADGE_TYPES: Final = frozenset({"OpenBadgeCredential", "AchievementCredential"})

_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+")
_EXTENSION = re.compile(r"ext:[A-Za-z0-9.|_-]+")


def is_open_badge(document: Mapping[str, Any]) -> bool:
    """Whether the document says that it is an Open Badges 3.0 credential or endorsement."""
    return bool(_types(document) & (BADGE_TYPES | {"EndorsementCredential"}))


def schema_errors(document: Any) -> list[FieldError]:
    """Every fault of an Open Badges 3.0 credential or endorsement against the standard's tables; empty when valid."""
    if not isinstance(document, dict):
        return [FieldError("", "must be an object")]
    name = "EndorsementCredential" if "EndorsementCredential" in _types(document) else "AchievementCredential"
    contexts = document.get("@context")
    old = isinstance(contexts, list) and contexts[:1] == [VC_1_1]
    named = [str(entry.get("id", "")) for entry in _objects(document.get("credentialSchema"))]
    walk = _Walk(
        tables=TABLES_1_1 if old else TABLES,
        arrays_only=any("/schema/json-ld/ob_v3p0_" in url for url in named),
        many_states=not any("/spec/ob/v3p0/schema/" in url for url in named),
    )
    return [*walk.object_faults(name, document, ""), *_rules(document)]


def achievement_errors(achievement: Any) -> list[FieldError]:
    """Every fault of a lone Open Badges 3.0 Achievement object."""
    if not isinstance(achievement, dict):
        return [FieldError("", "must be an object")]
    return list(_Walk(TABLES, arrays_only=False, many_states=False).object_faults("Achievement", achievement, ""))


class _Walk:
    """One pass over a document by the tables, collecting instead of stopping."""

    def __init__(self, tables: Mapping[str, Table], *, arrays_only: bool, many_states: bool) -> None:
        self.tables = tables
        self.arrays_only = arrays_only
        self.many_states = many_states

    def object_faults(self, name: str, value: Any, at: str) -> Iterator[FieldError]:
        if not isinstance(value, dict):
            yield FieldError(at, f"must be an object of class {name}")
            return
        table = self.tables[name]
        for field, rule in table.fields.items():
            if field in value:
                yield from self._property_faults(rule, value[field], f"{at}/{_escaped(field)}")
            elif rule.required:
                yield FieldError(f"{at}/{_escaped(field)}", f"is required in {name}")
        if table.closed:
            for field in value.keys() - table.fields.keys():
                yield FieldError(f"{at}/{_escaped(field)}", f"is not a property of {name}")
        yield from _type_faults(name, value.get("type"), at)
        if name in _MORE:
            yield from _MORE[name](value, at)

    def _property_faults(self, rule: Field, value: Any, at: str) -> Iterator[FieldError]:
        states = rule.kind == "CredentialStatus" and self.many_states and isinstance(value, list)
        if not rule.many and not states:
            yield from self._value_faults(rule.kind, value, at)
        elif isinstance(value, list):
            if not value and (rule.required or states):
                yield FieldError(at, "must have at least one member")
            for index, member in enumerate(value):
                yield from self._value_faults(rule.kind, member, f"{at}/{index}")
        elif rule.bare and not self.arrays_only:
            yield from self._value_faults(rule.kind, value, at)
        else:
            yield FieldError(at, "must be an array, even with one member")

    def _value_faults(self, kind: str, value: Any, at: str) -> Iterator[FieldError]:
        if kind in self.tables:
            yield from self.object_faults(kind, value, at)
        elif kind in VALUE_LISTS:
            if not isinstance(value, str) or not _listed(kind, value):
                extensions = "" if kind in WITHOUT_EXTENSIONS else " and is no ext: term"
                yield FieldError(at, f"is not in the list of {kind}{extensions}")
        else:
            holds, wording = _FORMS[kind]
            if not holds(value):
                yield FieldError(at, f"must be {wording}")


def _listed(kind: str, value: str) -> bool:
    extended = kind not in WITHOUT_EXTENSIONS and _EXTENSION.fullmatch(value) is not None
    return value in VALUE_LISTS[kind] or extended


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_day(value: Any) -> bool:
    if not isinstance(value, str) or re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) is None:
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


_FORMS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "Boolean": (lambda value: isinstance(value, bool), "true or false"),
    "CompactJws": (lambda value: _is_text(value) and _JWS.fullmatch(value) is not None, "a compact JWS"),
    "Context": (lambda value: isinstance(value, dict) or is_uri(value), "a URL or an object"),
    "CountryCode": (
        lambda value: _is_text(value) and re.fullmatch("[A-Z]{2}", value) is not None,
        "a country code of ISO 3166-1, two capitals",
    ),
    "Date": (_is_day, "a date, YYYY-MM-DD"),
    "DateTime": (lambda value: read_time(value) is not None, "a date and time with its zone"),
    "DateTimeZ": (lambda value: read_time(value) is not None, "a date and time with its zone"),
    "Email": (
        lambda value: _is_text(value) and re.fullmatch(r"[^@\s]+@[^@\s]+", value) is not None,
        "an e-mail address",
    ),
    "IRI": (lambda value: _is_text(value) and value.strip() != "", "a type name"),
    "Label": (is_label, "a string or a language value object"),
    "Language": (is_language, "a language tag"),
    "Number": (_is_number, "a number"),
    "String": (_is_text, "a string"),
    "URI": (is_uri, "an absolute URI"),
}


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _types(value: Any) -> set[str]:
    kinds = value.get("type") if isinstance(value, Mapping) else None
    return {kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str)}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [member for member in (value if isinstance(value, list) else [value]) if isinstance(member, dict)]


# Classes whose `type` names something else than the class: a status method, a proof type, a schema validator …
_FREELY_TYPED: Final = frozenset(
    {"Criteria", "CredentialSchema", "CredentialStatus", "Proof", "RefreshService", "TermsOfUse"}
)


def _type_faults(name: str, kinds: Any, at: str) -> Iterator[FieldError]:
    if kinds is None or name in _FREELY_TYPED:
        return
    found = _types({"type": kinds})
    if name in ("AchievementCredential", "EndorsementCredential"):
        if "VerifiableCredential" not in found:
            yield FieldError(f"{at}/type", "must include VerifiableCredential")
        wanted = BADGE_TYPES if name == "AchievementCredential" else frozenset({name})
    else:
        wanted = frozenset({name})
    if not found & wanted:
        yield FieldError(f"{at}/type", f"must include {' or '.join(sorted(wanted))}")


def _context_faults(credential: dict[str, Any], at: str) -> Iterator[FieldError]:
    contexts = credential.get("@context")
    second = contexts[1] if isinstance(contexts, list) and len(contexts) > 1 else None
    if not (isinstance(second, str) and second.startswith(OB_CONTEXTS)):
        yield FieldError(f"{at}/@context/1", "must be the context of Open Badges 3.0")


def _criteria_faults(criteria: dict[str, Any], at: str) -> Iterator[FieldError]:
    if not criteria.get("id") and not criteria.get("narrative"):
        yield FieldError(at, "must have an id or a narrative")


def _subject_faults(subject: dict[str, Any], at: str) -> Iterator[FieldError]:
    if not subject.get("id") and not subject.get("identifier"):
        yield FieldError(at, "must have an id or an identifier")


_MORE: Final[dict[str, Callable[[dict[str, Any], str], Iterator[FieldError]]]] = {
    "AchievementCredential": _context_faults,
    "EndorsementCredential": _context_faults,
    "Criteria": _criteria_faults,
    "AchievementSubject": _subject_faults,
}


def _rules(document: dict[str, Any]) -> Iterator[FieldError]:
    """Results must point at descriptions and rubric levels inside the awarded achievement."""
    subject = document.get("credentialSubject")
    if not isinstance(subject, dict):
        return
    achievement = subject.get("achievement")
    described = _objects(achievement.get("resultDescription")) if isinstance(achievement, dict) else []
    kinds = {str(one.get("id")): one.get("resultType") for one in described}
    levels = {level.get("id") for one in described for level in _objects(one.get("rubricCriterionLevel"))}
    for index, result in enumerate(_objects(subject.get("result"))):
        at = f"/credentialSubject/result/{index}"
        target = result.get("resultDescription")
        if is_uri(target) and target not in kinds:
            yield FieldError(f"{at}/resultDescription", "names no result description of the achievement")
        if is_uri(target) and kinds.get(target) == "Status" and "status" not in result:
            yield FieldError(f"{at}/status", "is required for a result of type Status")
        level = result.get("achievedLevel")
        if is_uri(level) and level not in levels:
            yield FieldError(f"{at}/achievedLevel", "names no rubric level of the achievement")
