"""The checks that need the credential alone: structure, validity, schema, recipient; and its summary. ● Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, get_args

import msgspec

from ledger.credentials.data_model import VC_1_1, structure_errors
from ledger.credentials.identity import RecipientKind, identity_matches
from ledger.credentials.lexical import read_time
from ledger.credentials.open_badges import is_open_badge, schema_errors
from ledger.errors import FieldError
from registry.verification.reading import Presented
from registry.verification.verdict import Check, Summary, failed, passed, skipped

CLOCK_SKEW: Final = timedelta(seconds=60)
_SHOWN: Final = 200

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Recipient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom the asker expects: every member that is given must be the credential's. Neither stored nor logged."""

    email: Line | None = None
    did: Line | None = None
    student_id: Line | None = None
    name: Line | None = None

    def __repr__(self) -> str:
        return "Recipient(…)"


_ASKED: Final[dict[RecipientKind, str]] = {
    "email": "e-mail address",
    "did": "DID",
    "student_id": "student id",
    "name": "name",
}


def structure_check(presented: Presented) -> Check:
    """The W3C data model's own rules, and a JWT's claims, which must say what the credential says."""
    faults = [*structure_errors(presented.document), *_claim_faults(presented)]
    if faults:
        return failed(
            "structure",
            f"This is not built as a verifiable credential: {told(faults)}.",
            code="MALFORMED_VALUE_ERROR",
            errors=tuple(faults),
        )
    version = "1.1" if _is_old(presented.document) else "2.0"
    return passed("structure", f"It is built as a verifiable credential of the W3C data model {version}.")


def validity_check(document: dict[str, Any], now: datetime) -> Check:
    """Whether the credential's own period of validity holds at `now` (aware)."""
    start, end = _period_names(document)
    first, last = read_time(document.get(start)), read_time(document.get(end))
    if first is not None and first > now + CLOCK_SKEW:
        return failed("validity", f"It is not valid yet: it begins on {day(first)}.")
    if last is not None and last < now:
        return failed("validity", f"It has expired: it was valid until {day(last)}.")
    if (start in document and first is None) or (end in document and last is None):
        return failed("validity", "Its period of validity cannot be read.", code="MALFORMED_VALUE_ERROR")
    return passed("validity", f"It is valid until {day(last)}." if last else "It is valid, without an end date.")


def schema_check(document: dict[str, Any]) -> Check:
    """Open Badges 3.0 in full where the credential says that it is one; other kinds have no schema here."""
    if not is_open_badge(document):
        return skipped("schema", "It does not say that it is an Open Badge; no other schema is known here.")
    faults = schema_errors(document)
    if faults:
        sentence = f"It says that it is an Open Badge and is not built as one: {told(faults)}."
        return failed("schema", sentence, errors=tuple(faults))
    return passed("schema", "It is built as Open Badges 3.0 asks.")


def recipient_check(document: dict[str, Any], recipient: Recipient | None) -> Check:
    """Whether it was awarded to the person asked about. The sentence never repeats what was asked."""
    kinds = get_args(RecipientKind)
    asked = {kind: value for kind in kinds if (value := getattr(recipient, kind, None)) is not None}
    if not asked:
        return skipped("recipient", "Nobody asked whether it belongs to a certain person.")
    wrong = [_ASKED[kind] for kind, value in asked.items() if not identity_matches(document, kind, value)]
    if wrong:
        return failed("recipient", f"It was not awarded to the person with this {' and this '.join(wrong)}.")
    right = " and this ".join(_ASKED[kind] for kind in asked)
    return passed("recipient", f"It was awarded to the person with this {right}.")


def summary_of(document: dict[str, Any]) -> Summary:
    """What the credential says of itself, for people; whatever is not as it should be is left out."""
    issuer = document.get("issuer")
    subject = document.get("credentialSubject")
    achievement = subject.get("achievement") if isinstance(subject, dict) else None
    kinds = document.get("type")
    start, end = _period_names(document)
    return Summary(
        id=identifier if isinstance(identifier := document.get("id"), str) else None,
        type=[kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str)],
        name=label(document.get("name")),
        issuer=issuer_of(document),
        issuer_name=label(issuer.get("name")) if isinstance(issuer, dict) else None,
        achievement=label(achievement.get("name")) if isinstance(achievement, dict) else None,
        valid_from=_text(document.get(start)),
        valid_until=_text(document.get(end)),
    )


def issuer_of(document: dict[str, Any]) -> str | None:
    """The issuer's id, or None where there is none that could be one."""
    issuer = document.get("issuer")
    found = issuer.get("id") if isinstance(issuer, dict) else issuer
    return found if isinstance(found, str) else None


def label(value: Any) -> str | None:
    """The text of a string or a language value object, or of the first of several."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("@value")
    return _text(value)


def told(faults: Sequence[FieldError]) -> str:
    """The first fault in words, and how many more there are."""
    first = f"{faults[0].pointer or 'the document'} {faults[0].detail}"
    return first if len(faults) == 1 else f"{first} (and {len(faults) - 1} more)"


def day(at: datetime) -> str:
    """A time as people read it, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _text(value: Any) -> str | None:
    return value[:_SHOWN] if isinstance(value, str) else None


def _is_old(document: dict[str, Any]) -> bool:
    contexts = document.get("@context")
    return isinstance(contexts, list) and contexts[:1] == [VC_1_1]


def _period_names(document: dict[str, Any]) -> tuple[str, str]:
    return ("issuanceDate", "expirationDate") if _is_old(document) else ("validFrom", "validUntil")


def _claim_faults(presented: Presented) -> list[FieldError]:
    """Registered claims must equal the credential's own members (VC-JOSE-COSE §3.1.3; Open Badges 3.0 §8.2.4)."""
    document, claims = presented.document, presented.claims
    subject = document.get("credentialSubject")
    start, end = _period_names(document)
    texts = {
        "iss": issuer_of(document),
        "jti": document.get("id"),
        "sub": subject.get("id") if isinstance(subject, dict) else None,
    }
    faults = [
        FieldError(f"/{name}", "is not what the credential says")
        for name, said in texts.items()
        if name in claims and claims[name] != said
    ]
    for name, member in (("nbf", start), ("exp", end)):
        if name not in claims:
            continue
        said = read_time(document.get(member))
        if not _is_second(claims[name], said):
            faults.append(FieldError(f"/{name}", f"is not the second of {member}"))
    return faults


def _is_second(claim: Any, said: datetime | None) -> bool:
    if isinstance(claim, bool) or not isinstance(claim, int | float) or said is None:
        return False
    return abs(claim - said.timestamp()) < 1
