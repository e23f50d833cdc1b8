"""eddsa-rdfc-2022 (Data Integrity EdDSA Cryptosuites 1.0 §3.2): signs the statements that a document makes.

The configuration is canonicalised under the document's `@context`, which the proof does not repeat. A plain one makes
five statements about one blank node, always in the same order: it is written directly, after the general path has
given the same bytes under the same contexts once.
"""

import functools
import re
from datetime import datetime
from typing import Any, Final

import msgspec

from ledger.proofs import data_integrity, rdfc
from ledger.proofs.data_integrity import PURPOSE, Json
from ledger.proofs.keys import PublicKey, Signer
from ledger.proofs.lexical import is_kept_iri
from ledger.proofs.problems import ProofError
from ledger.proofs.terms import context_key

SUITE: Final = "eddsa-rdfc-2022"

_PLAIN: Final = {"type", "cryptosuite", "created", "verificationMethod", "proofPurpose"}
_STAMP: Final = re.compile(r"[0-9:.TZ+-]{20,40}")
_LINES: Final = (
    '_:c14n0 <http://purl.org/dc/terms/created> "{created}"^^<http://www.w3.org/2001/XMLSchema#dateTime> .\n'
    "_:c14n0 <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://w3id.org/security#DataIntegrityProof> .\n"
    '_:c14n0 <https://w3id.org/security#cryptosuite> "eddsa-rdfc-2022"'
    "^^<https://w3id.org/security#cryptosuiteString> .\n"
    "_:c14n0 <https://w3id.org/security#proofPurpose> <https://w3id.org/security#assertionMethod> .\n"
    "_:c14n0 <https://w3id.org/security#verificationMethod> <{verificationMethod}> .\n"
)


def sign(
    document: Json, signer: Signer, created: datetime, purpose: str = PURPOSE, *, plain: bool | None = None
) -> Json:
    """The proof of a document, its own proofs aside. Raises ProofError for what would not be signed whole.

    `plain` is what `screen_json` said, where it was asked before.
    """
    body = data_integrity.unsecured(document)
    config = data_integrity.configuration(SUITE, signer, created, purpose)
    data = _hashed(body, config, own=True, plain=plain)
    return {**config, "proofValue": data_integrity.proof_value(signer, data)}


def verify(document: Json, proof: Json, key: PublicKey, *, at: datetime | None = None) -> None:
    """Raises ProofError when the proof does not hold, CannotSay when that cannot be told.

    `document` holds no proofs but those that `previousProof` names.
    """
    config = data_integrity.received(proof, SUITE, at=at)
    data_integrity.check_signature(proof, key, _hashed(document, config, own=False))


def _hashed(document: Json, config: Json, *, own: bool, plain: bool | None = None) -> bytes:
    canonical = rdfc.canonical(document, own=own, plain=plain)  # first: it screens the context
    context = document.get("@context")
    return data_integrity.hash_data(_canonical_configuration(config, context, own=own), canonical)


def _canonical_configuration(config: Json, context: Any, *, own: bool) -> bytes:
    if _is_plain(config) and _writes_plainly(context_key(context)):
        return _LINES.format_map(config).encode()
    return rdfc.canonical({**config, "@context": context}, own=own)


def _is_plain(config: Json) -> bool:
    """Whether the configuration has the five usual members, whose values need no escaping and cannot be dropped."""
    return (
        config.keys() == _PLAIN
        and config["type"] == data_integrity.TYPE
        and config["cryptosuite"] == SUITE
        and config["proofPurpose"] == PURPOSE
        and isinstance(config["created"], str)
        and _STAMP.fullmatch(config["created"]) is not None
        and is_kept_iri(config["verificationMethod"])
    )


@functools.lru_cache(maxsize=256)
def _writes_plainly(key: str) -> bool:
    """Whether these contexts give the usual terms their usual meaning."""
    sample = {
        "type": data_integrity.TYPE,
        "cryptosuite": SUITE,
        "created": "2026-01-31T12:00:00Z",
        "verificationMethod": "did:example:a#b",
        "proofPurpose": PURPOSE,
    }
    try:
        found = rdfc.canonical({**sample, "@context": msgspec.json.decode(key)})
    except ProofError:
        return False
    return found == _LINES.format_map(sample).encode()
