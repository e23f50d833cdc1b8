"""Keys and JWTs are those of the `nkeys` library, which we do not use."""

import base64
import hashlib
import json

import nkeys
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.bus.nkeys import ACCOUNT, OPERATOR, USER, KeyPair, credentials_of, credentials_text, jwt, key_pair

KINDS = {OPERATOR: nkeys.PREFIX_BYTE_OPERATOR, ACCOUNT: nkeys.PREFIX_BYTE_ACCOUNT, USER: nkeys.PREFIX_BYTE_USER}
secrets_of_32_bytes = st.binary(min_size=32, max_size=32)


@given(secret=secrets_of_32_bytes, kind=st.sampled_from(list(KINDS)), message=st.binary(max_size=100))
def test_seed_public_key_and_signature_are_the_librarys(secret: bytes, kind: int, message: bytes) -> None:
    pair = KeyPair(kind, secret)
    oracle = nkeys.from_seed(nkeys.encode_seed(secret, KINDS[kind]))

    assert pair.seed.encode() == oracle.seed
    assert pair.public.encode() == oracle.public_key
    assert pair.sign(message) == oracle.sign(message)


@given(secret=secrets_of_32_bytes, kind=st.sampled_from(list(KINDS)))
def test_a_seed_leads_back_to_its_key_pair(secret: bytes, kind: int) -> None:
    assert key_pair(KeyPair(kind, secret).seed) == KeyPair(kind, secret)


@pytest.mark.parametrize("change", [lambda seed: seed[:-1], lambda seed: seed[:-1] + "A", lambda seed: "U" + seed[1:]])
def test_a_damaged_seed_is_refused(change: object) -> None:
    seed = KeyPair(USER, bytes(32)).seed

    with pytest.raises(ValueError, match=r"nkey|padding"):
        key_pair(change(seed))  # type: ignore[operator]


def test_a_jwt_is_signed_over_its_text_and_named_by_the_hash_of_its_claims() -> None:
    issuer, subject = KeyPair(ACCOUNT, b"i" * 32), KeyPair(USER, b"s" * 32).public

    token = jwt(issuer, subject, "issuance", {"type": "user", "version": 2}, issued_at=1_700_000_000)

    header, claims, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split("."))
    assert json.loads(header) == {"typ": "JWT", "alg": "ed25519-nkey"}
    said = json.loads(claims)
    unnamed = {name: value for name, value in said.items() if name != "jti"}
    canonical = json.dumps(unnamed, sort_keys=True, separators=(",", ":")).encode()
    assert said["jti"] == base64.b32encode(hashlib.new("sha512_256", canonical).digest()).decode().rstrip("=")
    assert (said["iss"], said["sub"], said["iat"]) == (issuer.public, subject, 1_700_000_000)
    signed = token.rpartition(".")[0].encode()
    assert nkeys.from_seed(issuer.seed.encode()).verify(signed, signature)


def test_a_credentials_file_leads_back_to_token_and_keys() -> None:
    pair = KeyPair(USER, b"u" * 32)

    assert credentials_of(credentials_text("a.b.c", pair.seed)) == ("a.b.c", pair)


def test_a_file_that_holds_no_credentials_is_refused() -> None:
    with pytest.raises(ValueError, match="not a NATS credentials file"):
        credentials_of("nothing of the kind")
