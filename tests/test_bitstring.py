"""Bitstring status lists: bits, encoding, refusals, the keyed places, and what other libraries read."""

import base64
import gzip
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openbadgeslib.ob3 import status as openbadgeslib_status
from openvc.status import bitstring as openvc_bitstring
from tests.proofs.samples import ED25519, ISSUER, KEYS, NOON

from ledger import bitstring
from ledger.proofs import Outcome, ProofError, judge, secure

URL = "https://status.example/status-lists/sl_one"
SECRET = b"s" * 32
INDICES = st.integers(0, bitstring.LEAST_ENTRIES - 1)


def encoded(raw: bytes) -> str:
    return "u" + base64.urlsafe_b64encode(gzip.compress(raw)).decode().rstrip("=")


def list_of(bits: bytes, purpose: str = "revocation") -> dict[str, object]:
    return bitstring.status_list_credential(
        URL, ISSUER, purpose, bits, valid_from=datetime(2026, 1, 1, tzinfo=UTC), ttl_milliseconds=1000
    )


def test_index_0_is_the_left_most_bit_and_7_the_last_of_the_first_byte() -> None:
    bits = bitstring.with_bits(bitstring.empty(), [0, 7])

    assert bits[0] == 0b1000_0001
    assert (bitstring.bit(bits, 0), bitstring.bit(bits, 1), bitstring.bit(bits, 7)) == (True, False, True)


@settings(max_examples=50)
@given(st.sets(INDICES, max_size=20))
def test_what_was_set_is_read_by_us_and_by_two_other_libraries(indices: set[int]) -> None:
    text = bitstring.encode(bitstring.with_bits(bitstring.empty(), [*indices, *indices]))

    bits = bitstring.decode(text)

    assert {i for i in range(len(bits) * 8) if bits[i >> 3] and bitstring.bit(bits, i)} == indices
    assert openbadgeslib_status.set_indices(openbadgeslib_status.decode_encoded_list(text)) == indices
    assert openvc_bitstring.decode_bitstring(text) == bits


def test_encoding_again_gives_the_same_text() -> None:
    assert bitstring.encode(bitstring.empty()) == bitstring.encode(bitstring.empty())


def test_clearing_leaves_the_other_bits() -> None:
    bits = bitstring.with_bits(bitstring.empty(), [5, 6])

    assert bitstring.with_bits(bits, [5], to=False) == bitstring.with_bits(bitstring.empty(), [6])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (encoded(bytes(16_384))[1:], "MALFORMED_VALUE_ERROR"),
        ("z" + encoded(bytes(16_384))[1:], "MALFORMED_VALUE_ERROR"),
        (encoded(bytes(16_384)) + "=", "MALFORMED_VALUE_ERROR"),
        (encoded(bytes(16_384))[:-8], "MALFORMED_VALUE_ERROR"),
        (
            "u" + base64.urlsafe_b64encode(gzip.compress(bytes(16_384)) + b"more").decode().rstrip("="),
            "MALFORMED_VALUE_ERROR",
        ),
        ("u" + base64.urlsafe_b64encode(bytes(99)).decode(), "MALFORMED_VALUE_ERROR"),
        (None, "MALFORMED_VALUE_ERROR"),
        (encoded(bytes(16_383)), "STATUS_LIST_LENGTH_ERROR"),
        (encoded(bytes(100_000_000)), "RANGE_ERROR"),
    ],
    ids=["no u", "base58", "padding", "cut", "trailing", "no gzip", "null", "short", "bomb"],
)
def test_an_encoded_list_of_another_form_is_refused(text: object, problem: str) -> None:
    with pytest.raises(ProofError) as caught:
        bitstring.decode(text)

    assert caught.value.problem == problem


@pytest.mark.parametrize("index", [-1, bitstring.LEAST_ENTRIES])
def test_an_index_past_the_end_is_refused(index: int) -> None:
    with pytest.raises(ProofError) as caught:
        bitstring.bit(bitstring.empty(), index)

    assert caught.value.problem == "RANGE_ERROR"


@pytest.mark.parametrize("text", [7, "", "-1", "+1", "01", "1.0", "1e3", " 1", "1\n", "٣", None])
def test_an_index_is_a_plain_decimal_string(text: object) -> None:
    with pytest.raises(ProofError):
        bitstring.index_of(text)


def test_a_list_that_is_too_short_is_never_made() -> None:
    with pytest.raises(ValueError, match="131072"):
        bitstring.encode(bytes(16_383))


@pytest.mark.parametrize("length", [1, 2, 3, 1000, 4096])
def test_every_place_of_a_list_is_taken_once(length: int) -> None:
    assert sorted(bitstring.permuted(SECRET, "sl_one", n, length) for n in range(length)) == list(range(length))


@settings(max_examples=200)
@given(st.integers(1, 2**40), st.data())
def test_two_counters_never_share_a_place(length: int, data: st.DataObject) -> None:
    first, second = (data.draw(st.integers(0, length - 1)) for _ in range(2))
    places = [bitstring.permuted(SECRET, "sl_one", n, length) for n in (first, second)]

    assert all(0 <= place < length for place in places)
    assert (places[0] == places[1]) == (first == second)


def test_places_never_change_since_awards_bear_them() -> None:
    places = [bitstring.permuted(bytes(range(32)), "sl_one", n, bitstring.LEAST_ENTRIES) for n in range(4)]

    assert places == [79_250, 708, 24_862, 98_608]


def test_neighbours_lie_apart_and_lists_and_secrets_differ() -> None:
    length = bitstring.LEAST_ENTRIES
    one, two, three = (
        [bitstring.permuted(secret, name, n, length) for n in range(200)]
        for secret, name in ((SECRET, "sl_one"), (SECRET, "sl_two"), (b"t" * 32, "sl_one"))
    )

    assert sum(a == b for a, b in zip(one, two, strict=True)) < 3
    assert sum(a == b for a, b in zip(one, three, strict=True)) < 3
    assert sum(abs(a - b) < 100 for a, b in pairwise(one)) < 5


def test_a_counter_past_the_list_has_no_place() -> None:
    with pytest.raises(ValueError, match="outside"):
        bitstring.permuted(SECRET, "sl_one", 8, 8)


def test_a_signed_list_is_judged_and_read() -> None:
    signed = secure(list_of(bitstring.with_bits(bitstring.empty(), [94_567])), ED25519, NOON)

    assert [v.outcome for v in judge(signed, KEYS)] == [Outcome.VERIFIED, Outcome.VERIFIED]
    assert bitstring.entry_value(signed, "revocation", 94_567) == 1
    assert bitstring.entry_value(signed, "revocation", 94_566) == 0


def test_a_list_of_another_purpose_says_nothing() -> None:
    with pytest.raises(ProofError, match="purpose"):
        bitstring.entry_value(list_of(bitstring.empty()), "suspension", 1)


def test_entries_of_several_bits_are_read_from_the_left_and_need_a_longer_list() -> None:
    bits = bitstring.with_bits(bitstring.empty(2 * bitstring.LEAST_ENTRIES), [2, 5])

    assert [bitstring.entry_value(list_of(bits), "revocation", i, 2) for i in range(4)] == [0, 2, 1, 0]
    with pytest.raises(ProofError) as caught:
        bitstring.entry_value(list_of(bitstring.empty()), "revocation", 0, 2)
    assert caught.value.problem == "STATUS_LIST_LENGTH_ERROR"


def test_an_entry_has_an_id_of_its_own() -> None:
    assert bitstring.status_entry(URL, "revocation", 7) == {
        "id": f"{URL}#7",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "7",
        "statusListCredential": URL,
    }
