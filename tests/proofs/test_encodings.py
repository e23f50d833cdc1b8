"""base58btc, JCS and keys: round trips, strictness, and agreement with other implementations."""

import json
import math

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey
from openvc import multibase
from tests.proofs.samples import ED25519, HOSTILE_TEXTS, P256

from ledger.proofs import base58, jcs, keys
from ledger.proofs.keys import LocalSigner, PublicKey

CREDITS = st.integers(1, 999_999).map(lambda cents: cents / 100)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | CREDITS
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from(HOSTILE_TEXTS)
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
VALUES = st.recursive(SCALARS, lambda v: st.lists(v, max_size=4) | st.dictionaries(NAMES, v, max_size=4), max_leaves=20)


@given(st.binary(max_size=80))
def test_base58_gives_back_its_bytes_and_is_what_another_library_writes(raw: bytes) -> None:
    assert base58.decode(base58.encode(raw)) == raw
    assert base58.to_multibase(raw) == multibase.encode_multibase(raw) if raw else True


@pytest.mark.parametrize("text", ["0", "O", "I", "l", " 1", "1\n", "é"])
def test_base58_refuses_other_characters(text: str) -> None:
    with pytest.raises(ValueError, match="base58"):
        base58.decode(text)


@pytest.mark.parametrize("text", ["", "u1234", "Z11", "f00"])
def test_multibase_refuses_other_bases(text: str) -> None:
    with pytest.raises(ValueError, match="begin with z"):
        base58.from_multibase(text)


@given(VALUES)
def test_the_fast_path_of_jcs_gives_the_bytes_of_the_reference(value: object) -> None:
    assert jcs.canonical(value) == rfc8785.dumps(value)


def test_all_credits_print_alike() -> None:
    for cents in range(1, 1_000_000, 7):
        credit = cents / 100
        assert jcs.canonical(credit) == rfc8785.dumps(credit)


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53, -(2**53), "\ud800", {"\ud800": 1}])
def test_jcs_refuses_what_json_readers_hold_differently(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # three libraries' subclasses
        jcs.canonical({"x": [value]})


def test_names_sort_by_utf16_units_as_rfc_8785_says() -> None:
    assert jcs.canonical({"\ufb33": 1, "\U0001f602": 2}).decode() == '{"\U0001f602":2,"\ufb33":1}'


@pytest.mark.parametrize("signer", [ED25519, P256], ids=lambda s: s.algorithm)
def test_signing_twice_gives_one_signature_which_the_public_key_verifies(signer: LocalSigner) -> None:
    signature = signer.sign(b"message")

    assert signature == signer.sign(b"message")
    assert len(signature) == 64
    assert signer.key.verifies(signature, b"message")
    assert not signer.key.verifies(signature, b"massage")
    assert not signer.key.verifies(signature[:63], b"message")


def test_p256_signs_as_rfc_6979_says() -> None:
    # RFC 6979 A.2.5, P-256 with SHA-256, message "sample".
    private = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")

    assert LocalSigner("P-256", private, "").sign(b"sample").hex().upper() == (
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    )


@pytest.mark.parametrize("signer", [ED25519, P256], ids=lambda s: s.algorithm)
def test_a_public_key_survives_multibase_and_jwk(signer: LocalSigner) -> None:
    assert keys.from_multibase(signer.public_key) == signer.key
    assert keys.from_jwk(signer.key.jwk()) == signer.key


def test_another_library_reads_our_jwks() -> None:
    assert OKPKey.import_key(ED25519.key.jwk()).as_dict(private=False)["x"] == ED25519.key.jwk()["x"]
    assert ECKey.import_key(P256.key.jwk()).as_dict(private=False)["y"] == P256.key.jwk()["y"]


SMALL_ORDER = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
)
NON_CANONICAL = (
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
)


@pytest.mark.parametrize("raw", [*SMALL_ORDER, *NON_CANONICAL])
def test_a_hostile_ed25519_key_is_refused_where_it_is_read(raw: str) -> None:
    with pytest.raises(ValueError, match=r"small order|canonical"):
        keys.from_multibase(PublicKey("Ed25519", bytes.fromhex(raw)).multibase)


@pytest.mark.parametrize(
    "jwk",
    [
        None,
        {},
        {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"},
        {**ED25519.key.jwk(), "d": "AA"},
        {**ED25519.key.jwk(), "x": ED25519.key.jwk()["x"] + "="},
        {**P256.key.jwk(), "y": P256.key.jwk()["x"]},
        {"kty": "oct", "k": "AA"},
    ],
)
def test_a_jwk_that_is_private_foreign_or_broken_is_refused(jwk: object) -> None:
    with pytest.raises(ValueError, match=r"JWK|publicKeyJwk|base64url|EC key|coordinates"):
        keys.from_jwk(jwk)


def test_base64url_has_one_form_only() -> None:
    assert keys.from_base64url("_-8") == b"\xff\xef"
    for text in ("/+8", "_-8=", "_-9", "_-8\n", "ü"):
        with pytest.raises(ValueError):  # noqa: PT011  # the reasons differ
            keys.from_base64url(text)


def test_numbers_survive_json_as_they_were() -> None:
    assert json.loads(jcs.canonical([0.07, 8.2, 4.5, 36.0])) == [0.07, 8.2, 4.5, 36]
