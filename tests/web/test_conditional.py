"""Conditional requests: what a reader has already is not sent again, and a change is made on what is there."""

import pytest
from litestar import Litestar
from tests.web.sample import app, client, writing

from ledger.web import content_etag

PATH = "/credentials/secret-capability"
ETAG = content_etag(b'{"name":"Ann"}')


@pytest.fixture(scope="module")
def sample() -> Litestar:
    return app()


async def test_a_representation_has_a_strong_tag(sample: Litestar) -> None:
    async with client(sample) as caller:
        answer = await caller.get(PATH)

    assert answer.status_code == 200
    assert answer.headers["etag"] == ETAG
    assert answer.headers["content-type"] == "application/vc"


@pytest.mark.parametrize("field", [ETAG, f"W/{ETAG}", f'"x", {ETAG}', f'"x",W/{ETAG} ', "*"])
async def test_who_has_it_gets_304_with_the_same_caching_headers(sample: Litestar, field: str) -> None:
    async with client(sample) as caller:
        answer = await caller.get(PATH, headers={"if-none-match": field})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == ETAG
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["vary"] == "accept"


async def test_who_has_another_version_gets_this_one(sample: Litestar) -> None:
    async with client(sample) as caller:
        answer = await caller.get(PATH, headers={"if-none-match": '"other"'})

    assert answer.status_code == 200


async def test_tags_that_are_none_are_refused(sample: Litestar) -> None:
    async with client(sample) as caller:
        answer = await caller.get(PATH, headers={"if-none-match": "unquoted"})

    assert answer.status_code == 400


async def test_head_answers_like_get_without_the_body(sample: Litestar) -> None:
    async with client(sample) as caller:
        read, head = await caller.get(PATH), await caller.head(PATH)
        unchanged = await caller.head(PATH, headers={"if-none-match": ETAG})

    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "etag", "cache-control"):
        assert head.headers[name] == read.headers[name]
    assert unchanged.status_code == 304


@pytest.mark.parametrize(
    ("field", "status", "code"),
    [
        ({}, 428, "precondition_required"),
        ({"if-match": '"2"'}, 412, "stale"),
        ({"if-match": 'W/"3"'}, 412, "stale"),
        ({"if-match": '"3"'}, 200, None),
        ({"if-match": '"2", "3"'}, 200, None),
        ({"if-match": "*"}, 200, None),
    ],
)
async def test_a_change_is_made_on_the_version_that_is_there(
    sample: Litestar, field: dict[str, str], status: int, code: str | None
) -> None:
    async with client(sample) as caller:
        answer = await caller.put("/v1/awards/awd_1", json={"position": 1}, headers=writing(**field))

    assert answer.status_code == status
    assert answer.json().get("code") == code
