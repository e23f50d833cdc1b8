"""Lists in pages: cursors go on with the list they came from, and with no other."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from tests.web.sample import app, client

from ledger.errors import Malformed
from ledger.web.paging import Cursors

CURSORS = Cursors(b"s" * 32)
PLACES = st.lists(st.integers(0, 2**53) | st.text(max_size=20), min_size=1, max_size=3)


@pytest.fixture(scope="module")
def sample() -> Litestar:
    return app()


async def test_pages_follow_each_other_to_the_end(sample: Litestar) -> None:
    seen, path = [], "/v1/items?limit=3"
    async with client(sample) as caller:
        for _ in range(3):
            answer = await caller.get(path)
            page = answer.json()
            seen += [item["position"] for item in page["data"]]
            assert page["has_more"] is (page["next_cursor"] is not None)
            path = answer.links["next"]["url"] if page["has_more"] else ""

    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert path == ""
    assert "link" not in answer.headers


async def test_a_page_that_ends_with_the_list_promises_no_more(sample: Litestar) -> None:
    async with client(sample) as caller:
        page = (await caller.get("/v1/items?limit=7")).json()

    assert page["data"][-1] == {"position": 7}
    assert (page["next_cursor"], page["has_more"]) == (None, False)


async def test_a_cursor_serves_no_other_list(sample: Litestar) -> None:
    async with client(sample) as caller:
        cursor = (await caller.get("/v1/items?limit=3")).json()["next_cursor"]
        answer = await caller.get(f"/v1/items?limit=3&at_most=6&cursor={cursor}")

    assert answer.status_code == 400
    assert answer.json()["detail"] == "The cursor is not one of this list; start again without it."


async def test_the_link_keeps_the_other_parameters(sample: Litestar) -> None:
    async with client(sample) as caller:
        first = await caller.get("/v1/items?at_most=5&limit=3")
        second = await caller.get(first.links["next"]["url"])

    assert [item["position"] for item in second.json()["data"]] == [4, 5]


@given(st.binary(max_size=20), PLACES)
def test_a_cursor_reads_back_as_the_place_it_was_made_of(of: bytes, place: list[str | int]) -> None:
    assert CURSORS.read(of, CURSORS.sign(of, place)) == place


@given(st.binary(max_size=20), PLACES, st.data())
def test_a_cursor_with_any_other_bytes_is_refused(of: bytes, place: list[str | int], data: st.DataObject) -> None:
    cursor = CURSORS.sign(of, place)
    index = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.sampled_from("ABab01-_").filter(lambda character: character != cursor[index]))

    with pytest.raises(Malformed):
        CURSORS.read(of, cursor[:index] + other + cursor[index + 1 :])


@given(st.text(max_size=60))
def test_no_text_of_a_strangers_is_a_cursor(text: str) -> None:
    with pytest.raises(Malformed):
        CURSORS.read(b"list", text)


def test_a_cursor_of_another_server_is_refused() -> None:
    cursor = Cursors(b"t" * 32).sign(b"list", [1])

    assert base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).endswith(b"[1]")
    with pytest.raises(Malformed):
        CURSORS.read(b"list", cursor)
