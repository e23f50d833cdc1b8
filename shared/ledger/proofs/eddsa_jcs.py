"""eddsa-jcs-2022 (Data Integrity EdDSA Cryptosuites 1.0 §3.3): signs the JSON of a document.

The proof carries `@context`, because it is hashed: libraries that hash it and leave it out make proofs that only they
accept. A verifier checks that the document's context begins with it, and puts it in its place.
"""

from datetime import datetime
from typing import Final

from ledger.proofs import data_integrity, jcs
from ledger.proofs.data_integrity import PURPOSE, Json
from ledger.proofs.keys import PublicKey, Signer
from ledger.proofs.problems import TRANSFORMATION, VERIFICATION, ProofError
from ledger.proofs.screen import screen_json

SUITE: Final = "eddsa-jcs-2022"


def sign(
    document: Json, signer: Signer, created: datetime, purpose: str = PURPOSE, *, plain: bool | None = None
) -> Json:
    """The proof of a document, its own proofs aside. Raises ProofError for JSON that others would read apart.

    `plain` is what `screen_json` said, where it was asked before.
    """
    body = data_integrity.unsecured(document)
    if plain is None:
        plain = screen_json(body, own=True)
    config = data_integrity.configuration(SUITE, signer, created, purpose)
    if "@context" in body:
        config["@context"] = body["@context"]
    return {**config, "proofValue": data_integrity.proof_value(signer, _hashed(body, config, plain=plain))}


def verify(document: Json, proof: Json, key: PublicKey, *, at: datetime | None = None) -> None:
    """Raises ProofError when the proof does not hold, CannotSay when that cannot be told.

    `document` holds no proofs but those that `previousProof` names.
    """
    config = data_integrity.received(proof, SUITE, at=at)
    plain = screen_json(document)
    screen_json(config)
    if "@context" in config:
        given, signed = _listed(document.get("@context")), _listed(config["@context"])
        if given[: len(signed)] != signed:
            raise ProofError(VERIFICATION, "The document's @context does not begin with the proof's.", "/@context")
        document = {**document, "@context": config["@context"]}
    data_integrity.check_signature(proof, key, _hashed(document, config, plain=plain))


def _listed(context: object) -> list[object]:
    return context if isinstance(context, list) else [context]


def _hashed(document: Json, config: Json, *, plain: bool) -> bytes:
    write = jcs.canonical_plain if plain else jcs.canonical
    try:
        return data_integrity.hash_data(jcs.canonical(config), write(document))
    except ValueError as error:
        raise ProofError(TRANSFORMATION, "The document holds what RFC 8785 cannot write.") from error
