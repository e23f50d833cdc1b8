"""A well-formed badge of a foreign issuer, as a document that tests vary in one thing."""

import copy
from typing import Any

Json = dict[str, Any]

NAME = "Ann Lee"
EMAIL = "ann@learner.example"
STUDENT_ID = "S-1001"
SUBJECT = "did:example:ann"

_BADGE: Json = {
    "@context": [
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
    ],
    "id": "https://issuer.example/credentials/1",
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "name": "Data Analytics",
    "issuer": {"id": "did:web:issuer.example", "type": ["Profile"], "name": "Issuer of Examples"},
    "validFrom": "2026-01-01T00:00:00Z",
    "validUntil": "2126-01-01T00:00:00Z",
    "credentialSubject": {
        "id": SUBJECT,
        "type": ["AchievementSubject"],
        "identifier": [
            {"type": "IdentityObject", "hashed": False, "identityHash": NAME, "identityType": "name"},
            {"type": "IdentityObject", "hashed": False, "identityHash": EMAIL, "identityType": "emailAddress"},
            {"type": "IdentityObject", "hashed": False, "identityHash": STUDENT_ID, "identityType": "sisSourcedId"},
        ],
        "achievement": {
            "id": "https://issuer.example/achievements/1",
            "type": ["Achievement"],
            "name": "Data Analytics",
            "description": "Reading tables.",
            "criteria": {"narrative": "Three tables were read."},
        },
    },
}


def badge(**changed: Any) -> Json:
    """The badge with these members; a member that is None is left out."""
    document = {**copy.deepcopy(_BADGE), **changed}
    return {name: value for name, value in document.items() if value is not None}


def issued_by(issuer: str, name: str = "Issuer of Examples", **changed: Any) -> Json:
    """The badge with this issuer's id and name."""
    return badge(issuer={"id": issuer, "type": ["Profile"], "name": name}, **changed)
