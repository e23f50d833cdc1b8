"""Idempotency keys: how they may be written, and what a wish is made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from tests.web.sample import OAK, app, client, writing

from ledger.errors import Malformed
from ledger.web.wishes import WishKey, parse_key

VISIBLE = "".join(chr(code) for code in range(0x21, 0x7F))
BODY = {"achievement_id": "ach_1", "learner": {"name": "Ann"}}


@pytest.fixture(scope="module")
def sample() -> Litestar:
    return app()


@given(st.text(VISIBLE, min_size=1, max_size=255).filter(lambda key: not key.startswith('"')))
def test_bare_and_quoted_mean_the_same_key(key: str) -> None:
    quoted = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'

    assert parse_key(key) == key
    assert parse_key(quoted) == key


@given(st.text(max_size=300))
def test_any_text_is_a_visible_key_or_refused(text: str) -> None:
    try:
        key = parse_key(text)
    except Malformed:
        return
    assert 1 <= len(key) <= 255
    assert set(key) <= set(VISIBLE)


@pytest.mark.parametrize("header", ["", " ", '""', '"open', 'a"b c', "ä", "a\x00b", "k" * 256, '"a b"', '"a\\b"'])
def test_what_is_no_key_is_refused(header: str) -> None:
    with pytest.raises(Malformed, match="Idempotency-Key"):
        parse_key(header)


async def test_a_wish_is_named_by_tenant_route_and_key_and_says_path_and_body(sample: Litestar) -> None:
    async with client(sample) as caller:
        answer = await caller.post("/v1/awards", json=BODY, headers=writing(name='"8e03"'))

    assert answer.status_code == 201
    assert answer.json()["tenant"] == OAK
    assert answer.json()["said"] == '[{},{"achievement_id":"ach_1","learner":{"name":"Ann"}}]'
    assert "idempotent-replayed" not in answer.headers


async def test_member_order_and_white_space_do_not_make_another_wish(sample: Litestar) -> None:
    headers = writing(**{"content-type": "application/json"})
    texts = [b'{"achievement_id":"a","learner":{"name":"x"}}', b'{ "learner": {"name": "x"},\n"achievement_id":"a" }']
    async with client(sample) as caller:
        answers = [await caller.post("/v1/awards", content=text, headers=headers) for text in texts]

    assert answers[0].json()["said"] == answers[1].json()["said"]


async def test_an_answer_given_before_says_so(sample: Litestar) -> None:
    async with client(sample) as caller:
        answer = await caller.post("/v1/awards", json=BODY, headers=writing(name="again"))

    assert answer.headers["idempotent-replayed"] == "true"


async def test_the_actor_names_key_role_and_request(sample: Litestar) -> None:
    async with client(sample) as caller:
        answer = await caller.post("/v1/awards", json=BODY, headers=writing(**{"x-request-id": "req-from-caller"}))

    assert answer.json()["actor"] == {"key": f"key_{OAK}", "role": "institution", "request": "req-from-caller"}


async def test_a_key_that_is_none_is_refused_even_where_none_is_needed(sample: Litestar) -> None:
    async with client(sample) as caller:
        answer = await caller.post("/v1/verifications", json={}, headers={"idempotency-key": "k" * 300})

    assert answer.status_code == 400


def test_a_key_is_never_printed_with_a_wish() -> None:
    wish = WishKey(tenant=OAK, route="POST /v1/awards", key="ann@school.example", said=b"Ann Lee")

    assert repr(wish) == f"WishKey('{OAK}', 'POST /v1/awards')"
