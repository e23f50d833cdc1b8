"""How answers about a sandbox say TEST, and which are left as they are."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.web.exchange import Exchange
from ledger.web.marks import is_marked_in_body, marked

JSON = {"content-type": "application/json"}


def about(**varied: bool) -> Exchange:
    return Exchange(request_id="req", trace_id=None, method="GET", started=0.0, nonce="n", **{"sandbox": True} | varied)


@given(st.dictionaries(st.text().filter(lambda name: name != "test"), st.none() | st.integers() | st.text()))
def test_an_object_says_test_first_and_everything_else_as_before(said: dict[str, object]) -> None:
    read = json.loads(marked(json.dumps(said).encode()))

    assert next(iter(read.items())) == ("test", True)
    assert read == {"test": True, **said}


@pytest.mark.parametrize("body", [b"[1]", b'"text"', b"", b"7", b'{"test":true,"a":1}', b'{"a":1,"test":false}'])
def test_what_is_no_object_or_says_so_itself_is_left(body: bytes) -> None:
    assert marked(body) == body


def test_a_member_further_down_is_another_one() -> None:
    assert marked(b'{"a":{"test":false}}') == b'{"test":true,"a":{"test":false}}'


def test_only_answers_in_json_about_a_sandbox_are_marked() -> None:
    assert is_marked_in_body(about(), 201, {"content-type": "application/json; charset=utf-8"})
    assert not is_marked_in_body(about(sandbox=False), 200, JSON)
    assert not is_marked_in_body(about(is_document=True), 200, JSON)
    assert not is_marked_in_body(about(), 422, {"content-type": "application/problem+json"})
    assert not is_marked_in_body(about(), 304, JSON)
    assert not is_marked_in_body(about(), 200, {"content-type": "application/x-ndjson"})
    assert not is_marked_in_body(about(), 200, {"content-type": "application/ld+json"})
