"""A stranger: signs an Open Badges 3.0 credential with openvc-core, software that is not ours, and a key of its own.

    python deploy/demo/foreign_issuer.py > stranger.json

Rules. Runs in a process of its own and imports nothing of the ledger. The key (Ed25519, `did:key`) is drawn here and
gone when the process ends: nobody can ever sign a second credential in this name. Nothing is fetched: the Open Badges
context is package data of openbadgeslib, read as a file.
"""

import json
import sys
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from openvc.keys import Ed25519SigningKey
from openvc.multibase import encode_multibase
from openvc.proof.data_integrity import DataIntegrityProofSuite

OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
ED25519_PUBLIC = b"\xed\x01"  # multicodec ed25519-pub, as a varint


def signed_credential(now: datetime) -> dict[str, object]:
    """The credential, signed with `eddsa-rdfc-2022` at `now` (aware)."""
    key = Ed25519SigningKey.generate("stranger")
    name = encode_multibase(ED25519_PUBLIC + key.public_key_raw())
    credential = {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            OPEN_BADGES,
        ],
        "id": "https://guild.example/credentials/1",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "DEMO — Knot Tying",
        "issuer": {"id": f"did:key:{name}", "type": ["Profile"], "name": "Guild of Invented Sailors (DEMO)"},
        "validFrom": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": "IdentityObject",
                    "hashed": False,
                    "identityHash": "Nadia Nowhere",
                    "identityType": "name",
                }
            ],
            "achievement": {
                "id": "https://guild.example/achievements/knots",
                "type": ["Achievement"],
                "achievementType": "Badge",
                "name": "Knot Tying",
                "description": "Ties the eight knots of the guild, which does not exist.",
                "criteria": {"narrative": "Tied before two members of the guild."},
            },
        },
    }
    signed: dict[str, object] = DataIntegrityProofSuite().add_proof(
        credential,
        signing_key=key,
        verification_method=f"did:key:{name}#{name}",
        created=now,
        extra_contexts={OPEN_BADGES: open_badges_context()},
    )
    return signed


def open_badges_context() -> dict[str, object]:
    """The Open Badges 3.0 context. Raises ModuleNotFoundError where openbadgeslib is not installed."""
    package = find_spec("openbadgeslib")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("openbadgeslib")
    file = Path(package.origin).parent / "ob3" / "contexts" / "ob-v3p0-context-3.0.3.json"
    context: dict[str, object] = json.loads(file.read_bytes())
    return context


if __name__ == "__main__":
    json.dump(signed_credential(datetime.now(UTC)), sys.stdout, indent=2, ensure_ascii=False)
