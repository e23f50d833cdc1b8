"""An Open Badges 3.0 credential, keys and vectors for the proof tests; each call gives a fresh document."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ledger import contexts
from ledger.proofs import LocalSigner

Json = dict[str, Any]

ISSUER: Final = "did:web:ledger.example:issuers:north"
ED25519: Final = LocalSigner("Ed25519", bytes(range(32)), f"{ISSUER}#key_one")
P256: Final = LocalSigner("P-256", bytes(range(1, 33)), f"{ISSUER}#key_two")
NOON: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
KEYS: Final = {ED25519.verification_method: ED25519.key}
HOSTILE_TEXTS: Final = (
    'quotes " and \\ backslash',
    "line\nfeed, carriage\rreturn, tab\t",
    "_:c14n1 <https://e.example/> .",
    "%s {{x}} \\u0041",
    "漢字 and עברית and 😀",
    "next\x85line\u2028separator",
    "\ufeffmark",
    "\ue000private \ufffd",
    "",
)


def vectors(name: str) -> Any:
    """A file of published vectors."""
    return json.loads((Path(__file__).parents[1] / "vectors" / name).read_bytes())


def badge(**changes: Any) -> Json:
    """An unsigned award with every kind of value: numbers, fractions, booleans, arrays, nodes without an id."""
    document: Json = {
        "@context": list(contexts.AWARD),
        "id": "https://ledger.example/credentials/AAAAAAAAAAAAAAAAAAAAAA",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Data Analysis",
        "issuer": {"id": ISSUER, "type": ["Profile"], "name": "North University", "url": "https://north.example"},
        "validFrom": "2026-01-31T12:00:00Z",
        "validUntil": "2031-01-31T12:00:00Z",
        "credentialSubject": {
            "id": "urn:uuid:6a1f6a52-5b0c-4a8e-9e63-6d0b61a0b3f4",
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": "IdentityObject",
                    "hashed": True,
                    "identityHash": "sha256$" + "ab" * 32,
                    "identityType": "emailAddress",
                    "salt": "c2FsdA",
                }
            ],
            "creditsEarned": 4.5,
            "result": [{"type": ["Result"], "value": "91", "status": "Completed"}],
            "achievement": {
                "id": "https://ledger.example/achievements/ach_one/versions/1",
                "type": ["Achievement"],
                "name": "Data Analysis",
                "description": "Analyses data.",
                "criteria": {"narrative": "Passed the examination."},
                "creditsAvailable": 6,
                "tag": ["data", "analysis"],
                "alignment": [
                    {
                        "type": ["Alignment"],
                        "targetName": "analyse data",
                        "targetUrl": "http://data.europa.eu/esco/skill/1",
                    }
                ],
            },
        },
        "credentialStatus": {
            "id": "https://status.example/status-lists/sl_one#94567",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "94567",
            "statusListCredential": "https://status.example/status-lists/sl_one",
        },
        "credentialSchema": [
            {
                "id": "https://purl.imsglobal.org/spec/ob/v3p0/schema/json-ld/ob_v3p0_achievementcredential_schema.json",
                "type": "1EdTechJsonSchemaValidator2019",
            }
        ],
    }
    return {**document, **changes}
