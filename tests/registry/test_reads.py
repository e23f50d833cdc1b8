"""Public reads over HTTP: what each address answers, in which form, to whom, and how soon after it was recorded."""

import asyncio

import httpx
import pytest
from tests.registry.world import (
    ACHIEVEMENT,
    AWARD,
    CAPABILITY,
    JWT,
    KEY_ED,
    KEY_P256,
    NOVA,
    SIGNER,
    WITHDRAWN,
    World,
    did,
    published,
    signed,
)

from ledger.credentials.baking import unbake

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
VERSION = f"/achievements/{ACHIEVEMENT}/versions/1"
CREDENTIAL = f"/credentials/{CAPABILITY}"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/vc"),
        ("", "application/vc"),
        ("application/vc", "application/vc"),
        ("application/ld+json", "application/ld+json"),
        ("application/json, text/plain, */*", "application/json"),
        ("application/vc+jwt", "application/vc+jwt"),
        ("text/html;q=0.1, application/vc;q=0.2", "application/vc"),
        ("application/*", "application/vc"),
        (BROWSER, "text/html; charset=utf-8"),
    ],
)
async def test_a_credential_comes_in_the_form_that_was_asked_for(
    told: httpx.AsyncClient, accept: str, kind: str
) -> None:
    answer = await told.get(CREDENTIAL, headers={"accept": accept})

    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert "accept" in answer.headers["vary"].lower()
    assert answer.headers["test-mode"] == "TEST"


async def test_a_credential_in_no_form_that_it_has_is_406(told: httpx.AsyncClient) -> None:
    answer = await told.get(CREDENTIAL, headers={"accept": "image/webp, text/*"})

    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")


async def test_the_document_is_what_was_signed_byte_for_byte(told: httpx.AsyncClient) -> None:
    kept = signed().encode()

    answers = [await told.get(f"{CREDENTIAL}{suffix}") for suffix in ("", ".json", ".jwt")]

    assert [answer.content for answer in answers] == [kept, kept, JWT.encode()]


@pytest.mark.parametrize(("form", "kind"), [("png", "image/png"), ("svg", "image/svg+xml")])
async def test_the_picture_carries_the_credential(told: httpx.AsyncClient, form: str, kind: str) -> None:
    picture = await told.get(f"{CREDENTIAL}.{form}")
    again = await told.get(f"{CREDENTIAL}.{form}")

    assert picture.headers["content-type"] == kind
    assert unbake(picture.content) == signed()
    assert again.content == picture.content


@pytest.mark.parametrize("name", ["x", "A" * 22, f"{CAPABILITY}.gif", f"{CAPABILITY}.", "A" * 500])
async def test_an_unknown_credential_is_404(told: httpx.AsyncClient, name: str) -> None:
    answer = await told.get(f"/credentials/{name}")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_credential_s_page_is_for_its_visitor_alone(told: httpx.AsyncClient) -> None:
    page = await told.get(CREDENTIAL, headers={"accept": "text/html"})

    assert "Ada Lovelace" in page.text
    assert "Ada" not in page.text.partition("</title>")[0]
    assert '<meta name="robots" content="noindex, nofollow">' in page.text
    assert page.headers["x-robots-tag"] == "noindex"
    assert page.headers["cache-control"] == "private, no-cache"
    assert "TEST" in page.text
    assert "DEMO" in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/issuers/nova",
        "/issuers/nova",
        "/issuers/nova/did.json",
        f"/v1/achievements/{ACHIEVEMENT}",
        VERSION,
        f"{VERSION}/image.svg",
        f"{VERSION}/image.png",
        f"/v1/awards/{AWARD}",
        CREDENTIAL,
        "/schemas/award.awarded.v1.json",
    ],
)
async def test_who_has_it_already_gets_304_and_a_head_tells_the_same(told: httpx.AsyncClient, path: str) -> None:
    first = await told.get(path)

    again = await told.get(path, headers={"if-none-match": first.headers["etag"]})
    head = await told.head(path)

    assert first.status_code == 200
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == first.headers["cache-control"]
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", first.headers["etag"])
    assert first.headers["access-control-allow-origin"] == "*"


async def test_what_was_just_recorded_is_found_at_once(world: World, registry: httpx.AsyncClient) -> None:
    await world.institution()
    await world.achievement()
    await world.award()

    award = await registry.get(f"/v1/awards/{AWARD}")

    assert (award.status_code, award.json()["id"]) == (200, AWARD)


async def test_a_credential_that_is_being_signed_is_waited_for(world: World, registry: httpx.AsyncClient) -> None:
    await world.institution()
    await world.achievement()
    await world.award()

    async with asyncio.TaskGroup() as group:
        asked = group.create_task(registry.get(CREDENTIAL))
        await registry.get(f"/v1/awards/{AWARD}")
        await world.document()

    assert asked.result().status_code == 200


async def test_an_award_s_public_facts_name_no_person(told: httpx.AsyncClient) -> None:
    award = await told.get(f"/v1/awards/{WITHDRAWN}")
    page = await told.get(f"/v1/awards/{WITHDRAWN}", headers={"accept": BROWSER})

    facts = award.json()
    last = facts["history"][-1]
    assert (facts["standing"], facts["standing_position"]) == ("revoked", last["position"])
    assert [entry["type"] for entry in facts["history"]] == ["award.awarded", "award.revoked"]
    assert (facts["issuer"]["id"], facts["achievement"]["name"]) == (NOVA, "Cloud Basics")
    for text in (award.text, page.text):
        assert not any(word in text for word in ("Ada", "lrn_", CAPABILITY, "sl_"))
    assert f"position {last['position']}" in page.text
    assert "issued_in_error" in page.text
    assert last["authority"] == "Registrar"  # an office: its API says that everybody can read it
    assert "decided by Registrar" in page.text


async def test_the_did_document_lists_both_keys(told: httpx.AsyncClient) -> None:
    answer = await told.get("/issuers/nova/did.json")

    document = answer.json()
    assert answer.headers["content-type"] == "application/did+json"
    assert (document["id"], document["@context"][0]) == (did("nova"), "https://www.w3.org/ns/did/v1")
    assert document["assertionMethod"] == [f"{did('nova')}#{KEY_ED}", f"{did('nova')}#{KEY_P256}"]
    assert document["verificationMethod"][0]["publicKeyMultibase"] == SIGNER.public_key
    assert document["verificationMethod"][1]["publicKeyJwk"]["crv"] == "P-256"


async def test_an_achievement_version_is_the_object_of_its_credentials(told: httpx.AsyncClient) -> None:
    answer = await told.get(VERSION)
    document = answer.json()
    context = document.pop("@context")

    assert answer.headers["content-type"] == "application/ld+json"
    assert "immutable" in answer.headers["cache-control"]
    assert context[0] == "https://www.w3.org/ns/credentials/v2"
    assert document == published().document


async def test_an_achievement_s_page_says_what_is_not_stated_and_runs_nothing_foreign(told: httpx.AsyncClient) -> None:
    path = f"/achievements/{ACHIEVEMENT}/versions/2"

    page = (await told.get(path, headers={"accept": BROWSER})).text

    assert "65–260 hours" in page
    assert "2.2–10.4" in page
    assert "estimate" in page
    assert "100–2000 USD" in page
    assert "not stated" in page
    assert "<strong>two</strong>" in page
    assert "<script>alert" not in page


async def test_lists_are_paged_and_filtered(told: httpx.AsyncClient) -> None:
    first = (await told.get("/v1/issuers?limit=1")).json()
    second = (await told.get(f"/v1/issuers?limit=1&cursor={first['next_cursor']}")).json()
    listed = (await told.get("/v1/achievements?issuer=nova&q=BASICS&sector=technology")).json()
    other = (await told.get("/v1/achievements?issuer=oak")).json()

    assert [one["slug"] for one in (*first["data"], *second["data"])] == ["nova", "oak"]
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)
    assert [(one["id"], one["version"]) for one in listed["data"]] == [(ACHIEVEMENT, 2)]
    assert other["data"] == []


async def test_an_event_s_schema_leaves_out_what_stays_inside(told: httpx.AsyncClient) -> None:
    schema = (await told.get("/schemas/award.awarded.v1.json")).json()
    unknown = await told.get("/schemas/award.awarded.v9.json")

    assert schema["$id"] == "http://localhost:8000/schemas/award.awarded.v1.json"
    assert schema["title"] == "org.credledger.award.awarded.v1"
    assert "status" not in schema["properties"]
    assert "achievement_id" in schema["required"]
    assert unknown.status_code == 404
