"""The header fields of every answer, what other origins may read, and the request's identity."""

from pathlib import Path

import pytest
from litestar import Litestar
from tests.web.sample import app, bearer, client, settings, writing

PREFLIGHT = {"origin": "https://elsewhere.example", "access-control-request-method": "GET"}


@pytest.fixture(scope="module")
def sample() -> Litestar:
    return app()


@pytest.mark.parametrize("path", ["/livez", "/v1/items", "/nowhere", "/v1/failures/unexpected", "/docs", "/problems"])
async def test_every_answer_is_marked_and_hardened(sample: Litestar, path: str) -> None:
    async with client(sample) as caller:
        headers = (await caller.get(path)).headers

    assert headers["test-mode"] == "TEST"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-request-id"].startswith("req_")
    assert "server" not in headers


async def test_a_real_address_says_nothing_of_a_test_and_insists_on_https() -> None:
    real = settings(
        CREDLEDGER_PUBLIC_URL="https://ledger.example", CREDLEDGER_STATUS_URL="https://status.ledger.example"
    )
    async with client(app(configured=real)) as caller:
        answer, page = await caller.get("/livez"), await caller.get("/docs")

    assert "test-mode" not in answer.headers
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert "TEST" not in page.text


async def test_a_page_may_run_only_what_bears_its_nonce(tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "page.html").write_text(
        '{% extends "base.html" %}{% block main %}<h1>{{ name }}</h1>{% endblock %}'
        '{% block scripts %}<script nonce="{{ nonce }}">1</script>{% endblock %}'
    )
    async with client(app([tmp_path])) as caller:
        first, second = await caller.get("/page"), await caller.get("/page")

    nonce = first.text.partition('nonce="')[2].partition('"')[0]
    assert f"script-src 'nonce-{nonce}'" in first.headers["content-security-policy"]
    assert "unsafe" not in first.headers["content-security-policy"]
    assert nonce not in second.text
    assert "<h1>&lt;Ann &amp; co&gt;</h1>" in first.text
    assert "<strong>TEST</strong>" in first.text


@pytest.mark.parametrize("path", ["/v1/items", "/credentials/x", "/v1/failures/conflict", "/v1/failures/unexpected"])
async def test_pages_of_any_origin_may_read_what_is_public(sample: Litestar, path: str) -> None:
    async with client(sample) as caller:
        answer = await caller.get(path, headers={"origin": "https://elsewhere.example"})

    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert "ETag" in answer.headers["access-control-expose-headers"]


async def test_what_needs_a_key_is_for_no_other_origin_and_no_cache(sample: Litestar) -> None:
    async with client(sample) as caller:
        answers = [
            await caller.get("/v1/awards/awd_1", headers=bearer(origin="https://elsewhere.example")),
            await caller.options("/v1/awards/awd_1", headers=PREFLIGHT),
            await caller.post("/v1/awards", json={}, headers=writing(origin="https://elsewhere.example")),
        ]

    assert [answer.status_code for answer in answers] == [200, 204, 400]
    assert all("access-control-allow-origin" not in answer.headers for answer in answers)
    assert answers[0].headers["cache-control"] == "no-store"


async def test_a_browser_may_ask_before_it_verifies(sample: Litestar) -> None:
    preflight = {**PREFLIGHT, "access-control-request-method": "POST"}
    async with client(sample) as caller:
        answer = await caller.options("/v1/verifications", headers=preflight)

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "OPTIONS, POST"
    assert "Content-Type" in answer.headers["access-control-allow-headers"]


async def test_options_lists_every_method_of_an_address(sample: Litestar) -> None:
    async with client(sample) as caller:
        known, unknown = await caller.options("/v1/awards/awd_1"), await caller.options("/nowhere")

    assert (known.status_code, known.headers["allow"]) == (204, "GET, HEAD, OPTIONS, PUT")
    assert unknown.status_code == 404


@pytest.mark.parametrize("given", ["8e03978e-40d5-43dd", "a" * 128, "trace.1_2-3"])
async def test_a_well_formed_request_id_is_taken_over(sample: Litestar, given: str) -> None:
    async with client(sample) as caller:
        answer = await caller.get("/nowhere", headers={"x-request-id": given})

    assert answer.headers["x-request-id"] == given
    assert answer.json()["request_id"] == given


@pytest.mark.parametrize("given", ["", "short", "a" * 129, "ann@school.example", "-leading-dash", "with space in it"])
async def test_any_other_request_id_is_replaced(sample: Litestar, given: str) -> None:
    async with client(sample) as caller:
        answer = await caller.get("/livez", headers={"x-request-id": given})

    assert answer.headers["x-request-id"].startswith("req_")
    assert len(answer.headers["x-request-id"]) == 30
