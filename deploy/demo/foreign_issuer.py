"""A stranger: signs an Open Badges 3.0 credential with openvc-core, software that is not ours, and a key of its own.

    python deploy/demo/foreign_issuer.py > stranger.json

Rules. Runs in a process of its own and imports nothing of the ledger. The key (Ed25519, `did:key`) is drawn here and
gone when the process ends: nobody can ever sign a second credential in this name.
"""

import json
import sys
from datetime import UTC, datetime

from openvc.keys import Ed25519SigningKey
from openvc.multibase import encode_multibase
from openvc.proof.di_jcs import EddsaJcsProofSuite

ED25519_PUBLIC = b"\xed\x01"  # multicodec ed25519-pub, as a varint


def signed_credential(now: datetime) -> dict[str, object]:
    """The credential, signed with `eddsa-jcs-2022` at `now` (aware)."""
    key = Ed25519SigningKey.generate("stranger")
    name = encode_multibase(ED25519_PUBLIC + key.public_key_raw())
    credential = {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
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
    signed: dict[str, object] = EddsaJcsProofSuite().add_proof(
        credential, signing_key=key, verification_method=f"did:key:{name}#{name}", created=now
    )
    return signed


if __name__ == "__main__":
    json.dump(signed_credential(datetime.now(UTC)), sys.stdout, indent=2, ensure_ascii=False)
