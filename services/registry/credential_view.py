"""A credential as a person reads it, taken from the document itself. ● Pure: whatever is odd in it is left out."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from registry.prose import moment_of


class Piece(msgspec.Struct, frozen=True):
    """A result or a piece of evidence: its name, and what it says."""

    name: str
    text: str | None = None
    url: str | None = None


class CredentialView(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of a credential shows."""

    title: str
    learner: str | None
    issuer: str
    description: str | None
    criteria: str | None
    narrative: str | None
    awarded: datetime | None
    valid_from: datetime | None
    valid_until: datetime | None
    results: list[Piece]
    evidence: list[Piece]


def credential_view(document: dict[str, Any]) -> CredentialView:
    """The view of an Open Badges 3.0 credential."""
    subject = _object(document.get("credentialSubject"))
    achievement = _object(subject.get("achievement"))
    issuer = _object(document.get("issuer"))
    return CredentialView(
        title=_text(achievement.get("name")) or _text(document.get("name")) or "Credential",
        learner=_learner(subject),
        issuer=_text(issuer.get("name")) or _text(issuer.get("id")) or "",
        description=_text(achievement.get("description")),
        criteria=_text(_object(achievement.get("criteria")).get("narrative")),
        narrative=_text(subject.get("narrative")),
        awarded=moment_of(_text(document.get("awardedDate"))),
        valid_from=moment_of(_text(document.get("validFrom"))),
        valid_until=moment_of(_text(document.get("validUntil"))),
        results=_results(subject, achievement),
        evidence=[
            Piece(
                _text(one.get("name")) or "Evidence",
                _text(one.get("narrative")) or _text(one.get("description")),
                _web(one.get("id")),
            )
            for one in _objects(document.get("evidence"))
        ],
    )


def _learner(subject: dict[str, Any]) -> str | None:
    for one in _objects(subject.get("identifier")):
        if one.get("identityType") == "name" and one.get("hashed") is False:
            return _text(one.get("identityHash"))
    return None


def _results(subject: dict[str, Any], achievement: dict[str, Any]) -> list[Piece]:
    descriptions = {one.get("id"): one for one in _objects(achievement.get("resultDescription"))}
    return [
        Piece(
            _text(descriptions.get(one.get("resultDescription"), {}).get("name")) or "Result",
            _text(one.get("value")) or _level(one, descriptions) or _text(one.get("status")),
        )
        for one in _objects(subject.get("result"))
    ]


def _level(result: dict[str, Any], descriptions: dict[Any, dict[str, Any]]) -> str | None:
    levels = _objects(descriptions.get(result.get("resultDescription"), {}).get("rubricCriterionLevel"))
    return next((_text(one.get("name")) for one in levels if one.get("id") == result.get("achievedLevel")), None)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> Iterable[dict[str, Any]]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _web(value: Any) -> str | None:
    text = _text(value)
    return text if text and text.startswith(("https://", "http://")) else None
