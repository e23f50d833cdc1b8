"""The OpenAPI document says what is sent, and its page needs no network."""

import re

import pytest
from litestar import Litestar
from tests.web.sample import app, bearer, client, writing

from ledger.web.openapi import Document, operations

GOOD = {"achievement_id": "ach_1", "learner": {"name": "Ann"}}


@pytest.fixture(scope="module")
def sample() -> Litestar:
    return app()


@pytest.fixture
async def document(sample: Litestar) -> Document:
    async with client(sample) as caller:
        found: Document = (await caller.get("/openapi.json")).json()
    return found


async def test_the_document_is_openapi_3_1_with_our_own_operation_ids(document: Document) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]

    assert document["openapi"].startswith("3.1.")
    assert len(names) == len(set(names))
    assert "awardLearner" in names
    assert document["paths"]["/v1/awards"]["post"]["summary"] == "Award learner"
    assert "Page_Item" in document["components"]["schemas"]


async def test_every_error_of_every_operation_is_a_problem(document: Document) -> None:
    for _, _, operation in operations(document):
        errors = {status: found for status, found in operation["responses"].items() if status >= "400"}
        assert {"400", "500", "503"} <= set(errors)
        for found in errors.values():
            assert list(found["content"]) == ["application/problem+json"]
            assert found["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}


async def test_keys_scopes_and_idempotency_keys_are_documented(document: Document) -> None:
    award, items = document["paths"]["/v1/awards"]["post"], document["paths"]["/v1/items"]["get"]

    assert award["security"] == [{"key": []}, {"token": ["awards:write"]}]
    assert award["x-scope"] == "awards:write"
    assert {"$ref": "#/components/parameters/IdempotencyKey"} in award["parameters"]
    assert {"401", "403", "409", "413", "415", "422", "429"} <= set(award["responses"])
    assert items["security"] == []
    assert not {"401", "403", "409"} & set(items["responses"])
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


async def test_every_reference_in_the_document_leads_somewhere(document: Document) -> None:
    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for member in value.values() for found in references(member)]
        return [found for item in value for found in references(item)] if isinstance(value, list) else []

    for reference in references(document):
        found: object = document
        for step in reference.removeprefix("#/").split("/"):
            assert isinstance(found, dict)
            found = found[step]


@pytest.mark.parametrize(
    ("method", "template", "path", "more"),
    [
        ("POST", "/v1/awards", "/v1/awards", {"json": GOOD, "headers": writing()}),
        ("POST", "/v1/awards", "/v1/awards", {"json": {}, "headers": writing()}),
        ("POST", "/v1/awards", "/v1/awards", {"json": GOOD, "headers": bearer()}),
        ("POST", "/v1/awards", "/v1/awards", {"content": b"{}", "headers": writing()}),
        ("POST", "/v1/awards", "/v1/awards", {"content": b" " * 2_000_000, "headers": writing()}),
        ("POST", "/v1/awards", "/v1/awards", {"json": GOOD}),
        ("PUT", "/v1/awards/{award_id}", "/v1/awards/x", {"json": {"position": 1}, "headers": writing()}),
        ("GET", "/v1/awards/{award_id}", "/v1/awards/x", {"headers": bearer()}),
        ("GET", "/v1/items", "/v1/items?limit=0", {}),
        ("GET", "/v1/failures/{kind}", "/v1/failures/conflict", {}),
        ("GET", "/v1/failures/{kind}", "/v1/failures/unexpected", {}),
        ("GET", "/problems/{code}", "/problems/x", {}),
    ],
)
async def test_what_is_sent_is_documented(
    sample: Litestar, document: Document, method: str, template: str, path: str, more: dict[str, object]
) -> None:
    async with client(sample) as caller:
        answer = await caller.request(method, path, **more)  # type: ignore[arg-type]

    documented = document["paths"][template][method.lower()]["responses"][str(answer.status_code)]
    assert answer.headers["content-type"] in documented["content"]
    assert {name.lower() for name in documented["headers"]} <= set(answer.headers)


async def test_the_page_asks_no_foreign_host_and_runs_no_script(sample: Litestar) -> None:
    async with client(sample) as caller:
        page = (await caller.get("/docs")).text
        addresses = re.findall(r'(?:href|src|action|srcset)="([^"]*)"', page)
        assets = [await caller.get(address) for address in set(addresses) if address.startswith("/assets/")]

    assert "<script" not in page
    assert "style=" not in page
    assert all(address.startswith(("/", "#")) and not address.startswith("//") for address in addresses)
    assert {asset.status_code for asset in assets} == {200}
    assert all(b"url(" not in asset.content and b"@import" not in asset.content for asset in assets)


async def test_every_link_within_the_page_leads_somewhere(sample: Litestar) -> None:
    async with client(sample) as caller:
        page = (await caller.get("/docs")).text

    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert "Award an achievement to a learner." in page
    assert "awards:write" in page


async def test_assets_are_kept_for_ever_under_a_name_of_their_content(sample: Litestar) -> None:
    async with client(sample) as caller:
        page = (await caller.get("/docs")).text
        address = re.findall(r'href="(/assets/[^"]+\.css)"', page)[0]
        sheet = await caller.get(address)
        again = await caller.get(address, headers={"if-none-match": sheet.headers["etag"]})
        other = await caller.get("/assets/ledger.css")

    assert sheet.headers["content-type"] == "text/css; charset=utf-8"
    assert sheet.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert again.status_code == 304
    assert other.status_code == 404
