"""Rate limits: what is left is said at any time, and who asks too often is told when to come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.web.sample import ELM_KEY, app, bearer, client

from ledger.errors import TooManyRequests
from ledger.web import LIMITS, Limit
from ledger.web.rates import RateLimiter

FEW = {**LIMITS, "address": Limit(0.5, 3), "institution": Limit(1, 2), "failed_keys": Limit(0.1, 1)}


async def test_what_is_left_is_counted_down_and_429_names_the_wait() -> None:
    async with client(app(limits=FEW)) as caller:
        answers = [await caller.get("/v1/items") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit"] for answer in answers] == [
        '"default";r=2;t=2',
        '"default";r=1;t=4',
        '"default";r=0;t=6',
        '"default";r=0;t=6',
    ]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"default";q=3;w=6'}
    assert answers[3].headers["retry-after"] == "2"
    assert answers[3].json()["code"] == "too_many_requests"


async def test_each_key_has_an_allowance_of_its_own() -> None:
    async with client(app(limits=FEW)) as caller:
        oak = [(await caller.get("/v1/awards/awd_1", headers=bearer())).status_code for _ in range(3)]
        elm = await caller.get("/v1/awards/awd_1", headers=bearer(ELM_KEY))

    assert oak == [200, 200, 429]
    assert elm.status_code == 404


async def test_who_guesses_keys_is_stopped() -> None:
    async with client(app(limits=FEW)) as caller:
        answers = [await caller.get("/v1/awards/awd_1", headers=bearer("guess")) for _ in range(2)]
        good = await caller.get("/v1/awards/awd_1", headers=bearer())

    assert [answer.status_code for answer in answers] == [401, 429]
    assert good.status_code == 200


async def test_health_is_never_limited() -> None:
    async with client(app(limits=FEW)) as caller:
        answers = [await caller.get("/livez") for _ in range(10)]

    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers


def test_an_allowance_fills_up_with_time() -> None:
    now = [0.0]
    limiter = RateLimiter({"address": Limit(2, 2)}, clock=lambda: now[0])
    taken = [limiter.take("address", "a").remaining for _ in range(2)]
    with pytest.raises(TooManyRequests) as refusal:
        limiter.take("address", "a")
    now[0] = 0.5

    assert taken == [1, 0]
    assert refusal.value.retry_after_seconds == 1
    assert limiter.take("address", "a").remaining == 0


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60), st.integers(1, 5), st.integers(1, 5))
def test_never_more_than_the_burst_and_what_time_brought(pauses: list[float], burst: int, per_second: int) -> None:
    now, allowed = 0.0, 0
    limiter = RateLimiter({"address": Limit(per_second, burst)}, clock=lambda: now)
    for pause in pauses:
        now += pause
        try:
            limiter.take("address", "a")
        except TooManyRequests:
            continue
        allowed += 1

    assert allowed <= burst + now * per_second + 1e-6


def test_an_address_is_remembered_only_as_a_hash_that_dies_with_the_process() -> None:
    one, other = RateLimiter(), RateLimiter()

    assert one.hashed("203.0.113.7") == one.hashed("203.0.113.7")
    assert one.hashed("203.0.113.7") != other.hashed("203.0.113.7")
