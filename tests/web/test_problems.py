"""Every error is a problem document, and says no more than it should."""

import httpx
import pytest
from litestar import Litestar
from tests.web.sample import CLOSED_KEY, ELM_KEY, OPERATOR_KEY, app, bearer, client, writing

GOOD = {"achievement_id": "ach_1", "learner": {"name": "Ann"}}


@pytest.fixture(scope="module")
def sample() -> Litestar:
    return app()


async def ask(sample: Litestar, method: str, path: str, **more: object) -> httpx.Response:
    async with client(sample) as caller:
        return await caller.request(method, path, **more)  # type: ignore[arg-type]


def problem(answer: httpx.Response, code: str, title: str, detail: str, errors: object = ()) -> None:
    """Assert the exact problem document of an answer."""
    request_id = answer.headers["x-request-id"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": f"http://localhost:8000/problems/{code}",
        "title": title,
        "status": answer.status_code,
        "detail": detail,
        "instance": f"urn:credledger:request:{request_id}",
        "code": code,
        "request_id": request_id,
        "errors": list(errors),  # type: ignore[call-overload]
    }


async def test_every_bad_field_of_a_body_is_named(sample: Litestar) -> None:
    body = {
        "achievement_id": 5,
        "learner": {"name": "", "x/y": 1},
        "tags": ["a", "", 3],
        "credits": "5",
        "valid_until": "2020-01-01T00:00:00",
        "zz": 1,
    }

    answer = await ask(sample, "POST", "/v1/awards", json=body, headers=writing())

    assert answer.status_code == 400
    problem(
        answer,
        "malformed",
        "The request is malformed",
        "8 fields are not as they should be.",
        [
            {"detail": "Expected `str`, got `int`", "pointer": "/achievement_id"},
            {"detail": "Expected `str` of length >= 1", "pointer": "/learner/name"},
            {"detail": "There is no such field here", "pointer": "/learner/x~1y"},
            {"detail": "Expected `int`, got `str`", "pointer": "/credits"},
            {"detail": "Expected `str` of length >= 1", "pointer": "/tags/1"},
            {"detail": "Expected `str`, got `int`", "pointer": "/tags/2"},
            {"detail": "Expected `datetime` with a timezone component", "pointer": "/valid_until"},
            {"detail": "There is no such field here", "pointer": "/zz"},
        ],
    )


async def test_missing_fields_are_named(sample: Litestar) -> None:
    answer = await ask(sample, "POST", "/v1/awards", json={"learner": {}}, headers=writing())

    assert answer.json()["errors"] == [
        {"detail": "This field is required", "pointer": "/achievement_id"},
        {"detail": "This field is required", "pointer": "/learner/name"},
    ]


async def test_an_empty_body_is_asked_for(sample: Litestar) -> None:
    headers = writing(**{"content-type": "application/json"})

    answer = await ask(sample, "POST", "/v1/awards", headers=headers)

    assert answer.status_code == 400
    problem(answer, "malformed", "The request is malformed", "A JSON body is required.")


async def test_query_parameters_that_do_not_exist_or_do_not_fit_are_named(sample: Litestar) -> None:
    unknown = await ask(sample, "GET", "/v1/items?limits=5")
    wrong = await ask(sample, "GET", "/v1/items?limit=201&at_most=x")

    detail = "Some parameters are not as they should be."
    problem(
        unknown,
        "malformed",
        "The request is malformed",
        detail,
        [{"detail": "There is no such parameter here", "parameter": "limits", "in": "query"}],
    )
    assert wrong.status_code == 400
    assert [(error["parameter"], error["in"]) for error in wrong.json()["errors"]] in (
        [("limit", "query")],
        [("at_most", "query")],
        [("limit", "query"), ("at_most", "query")],
    )


async def test_a_write_without_an_idempotency_key_is_refused(sample: Litestar) -> None:
    answer = await ask(sample, "POST", "/v1/awards", json=GOOD, headers=bearer())

    assert answer.status_code == 400
    problem(
        answer,
        "idempotency_key_missing",
        "An Idempotency-Key is required",
        "Send an Idempotency-Key, a new one for each wish, such as a UUID.",
    )


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "Send an API key, or a token that was made with one, as `Authorization: Bearer <key>`."),
        (
            {"authorization": "Basic eA=="},
            "Send an API key, or a token that was made with one, as `Authorization: Bearer <key>`.",
        ),
        ({"authorization": "Bearer nonsense"}, "This API key is not known."),
    ],
)
async def test_who_brings_no_good_key_is_told_how(sample: Litestar, headers: dict[str, str], detail: str) -> None:
    answer = await ask(sample, "GET", "/v1/awards/awd_1", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="credledger"'
    problem(answer, "unauthenticated", "A valid API key is required", detail)


async def test_the_key_is_asked_for_before_anything_about_the_request_is_said(sample: Litestar) -> None:
    answer = await ask(sample, "POST", "/v1/awards", content=b"{", headers={"content-type": "text/plain"})

    assert answer.status_code == 401


async def test_a_key_without_the_scope_is_told_which(sample: Litestar) -> None:
    answer = await ask(sample, "POST", "/v1/awards", json=GOOD, headers=writing(ELM_KEY))

    assert answer.status_code == 403
    problem(
        answer,
        "forbidden",
        "This key may not do that",
        "The key does not hold the scope awards:write (award achievements to learners).",
    )


async def test_a_suspended_institution_reads_and_changes_nothing(sample: Litestar) -> None:
    reading = await ask(sample, "GET", "/v1/awards/awd_1", headers=bearer(CLOSED_KEY))
    changing = await ask(sample, "POST", "/v1/awards", json=GOOD, headers=writing(CLOSED_KEY))

    assert (reading.status_code, changing.status_code) == (200, 403)


async def test_an_operator_does_not_award(sample: Litestar) -> None:
    assert (await ask(sample, "POST", "/v1/awards", json=GOOD, headers=writing(OPERATOR_KEY))).status_code == 403


async def test_another_tenants_award_reads_like_one_that_is_not_there(sample: Litestar) -> None:
    foreign = await ask(sample, "GET", "/v1/awards/awd_1", headers=bearer(ELM_KEY))
    missing = await ask(sample, "GET", "/v1/awards/awd_2", headers=bearer())

    assert (foreign.status_code, missing.status_code) == (404, 404)
    problem(foreign, "not_found", "There is no such thing", "There is no such award.")
    problem(missing, "not_found", "There is no such thing", "There is no such award.")


async def test_an_address_that_does_not_exist_is_a_problem_too(sample: Litestar) -> None:
    answer = await ask(sample, "GET", "/nowhere")

    assert answer.status_code == 404
    problem(answer, "not_found", "There is no such thing", "Nothing is here, or nothing that this caller may see.")


async def test_a_method_that_an_address_does_not_take_lists_those_it_does(sample: Litestar) -> None:
    answer = await ask(sample, "PATCH", "/v1/awards/awd_1")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, PUT"
    detail = "This address does not take that method; Allow lists those it does."
    problem(answer, "method_not_allowed", "The method is not allowed here", detail)


async def test_a_rule_that_says_no_keeps_its_sentence(sample: Litestar) -> None:
    answer = await ask(sample, "GET", "/v1/failures/conflict")

    assert answer.status_code == 409
    problem(answer, "conflict", "That conflicts with what is already recorded", "The slug is taken.")


async def test_a_body_that_is_too_large_is_refused(sample: Litestar) -> None:
    body = b'{"achievement_id":"' + b"a" * 1_048_576 + b'"}'
    headers = writing(**{"content-type": "application/json"})

    answer = await ask(sample, "POST", "/v1/awards", content=body, headers=headers)

    assert answer.status_code == 413
    problem(answer, "too_large", "The request is too large", "The body is larger than this address takes.")


async def test_a_body_that_hides_its_size_is_refused_too(sample: Litestar) -> None:
    async def chunks():  # type: ignore[no-untyped-def]
        for _ in range(20):
            yield b" " * 65_536

    headers = writing(**{"content-type": "application/json"})

    answer = await ask(sample, "POST", "/v1/awards", content=chunks(), headers=headers)

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {},
        {"content-type": "application/json", "content-encoding": "gzip"},
        {"content-type": "application/json; charset=latin-1"},
    ],
)
async def test_only_json_in_utf_8_is_taken(sample: Litestar, headers: dict[str, str]) -> None:
    answer = await ask(sample, "POST", "/v1/awards", content=b"{}", headers=writing(**headers))

    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


async def test_media_types_that_end_in_json_are_json(sample: Litestar) -> None:
    answers = [
        await ask(sample, "POST", "/v1/verifications", content=b"{}", headers={"content-type": media_type})
        for media_type in ("application/json", "application/ld+json; charset=utf-8", "application/vc")
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 201]


async def test_what_nobody_expected_is_answered_without_detail(sample: Litestar) -> None:
    answer = await ask(sample, "GET", "/v1/failures/unexpected")

    assert answer.status_code == 500
    detail = "Something went wrong here; it was logged under this request's id."
    problem(answer, "internal", "Internal error", detail)


@pytest.mark.parametrize(("kind", "wait"), [("refused-connection", "1"), ("unavailable", "7")])
async def test_what_is_away_is_503_and_says_when_to_come_back(sample: Litestar, kind: str, wait: str) -> None:
    answer = await ask(sample, "GET", f"/v1/failures/{kind}")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == wait
    assert answer.json()["code"] == "unavailable"


async def test_a_browser_gets_the_same_facts_as_a_page(sample: Litestar) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

    answer = await ask(sample, "GET", "/nowhere", headers={"accept": accept})

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "There is no such thing" in answer.text
    assert answer.headers["x-request-id"] in answer.text


async def test_no_error_may_be_cached(sample: Litestar) -> None:
    for path in ("/nowhere", "/v1/failures/conflict", "/v1/items?limit=0"):
        assert (await ask(sample, "GET", path)).headers["cache-control"] == "no-store"


async def test_the_type_of_a_problem_is_served_as_data_and_as_a_page(sample: Litestar) -> None:
    data = await ask(sample, "GET", "/problems/stale")
    page = await ask(sample, "GET", "/problems/stale", headers={"accept": "text/html"})
    everything = await ask(sample, "GET", "/problems")

    assert data.json() == {
        "type": "http://localhost:8000/problems/stale",
        "code": "stale",
        "status": 412,
        "title": "It has changed since it was read",
        "guidance": "It changed after you read it. Read it again and send the new ETag in If-Match.",
    }
    assert "send the new ETag in If-Match" in page.text
    assert data.json() in everything.json()["data"]
    assert all(kind["guidance"] for kind in everything.json()["data"])
    assert (await ask(sample, "GET", "/problems/nothing")).status_code == 404
