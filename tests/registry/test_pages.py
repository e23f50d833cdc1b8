"""The registry's pages as HTML: what they say, and that they ask nobody else for anything."""

import re
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.conftest import Database
from tests.registry.conftest import running
from tests.registry.world import (
    ACHIEVEMENT,
    AWARD,
    CAPABILITY,
    PUBLIC,
    REVOKED_CAPABILITY,
    WITHDRAWN,
    World,
    credential,
    settings,
    signed,
)

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGES = [
    "/",
    "/?type=nanodegree&sector=technology&provider=Udacity",
    "/issuers",
    "/issuers/nova",
    f"/achievements/{ACHIEVEMENT}/versions/1",
    f"/v1/awards/{AWARD}",
    f"/credentials/{CAPABILITY}",
    "/verify",
    "/demo",
]
FETCHED = re.compile(r"""<(?:script|img|link|iframe|source|form)\b[^>]*?\b(?:src|href|action)=["']([^"']*)""")


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_fetches_from_nobody_else_and_runs_nothing_inline(told: httpx.AsyncClient, path: str) -> None:
    page = await told.get(path, headers=BROWSER)

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert FETCHED.findall(page.text)
    assert all(re.match(r"/(?!/)", address) for address in FETCHED.findall(page.text))
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", page.text)
    assert all("nonce=" in tag and "src=" in tag for tag in re.findall(r"<script[^>]*>", page.text))
    assert ">TEST<" in page.text


async def test_the_catalogue_shows_ours_beside_cited_facts_with_their_gaps(told: httpx.AsyncClient) -> None:
    page = (await told.get("/", headers=BROWSER)).text

    assert "Cloud Basics" in page
    assert "DEMO" in page
    assert "IT Support Professional Certificate" in page
    assert "source: founding article" in page
    assert "the source does not say" in page


async def test_facets_leave_what_fits_and_a_search_without_result_leads_on(told: httpx.AsyncClient) -> None:
    nanodegrees = (await told.get("/?type=nanodegree", headers=BROWSER)).text
    nothing = (await told.get("/?q=%22%3E%3Cscript%3E", headers=BROWSER)).text

    assert ("Nanodegrees in AI" in nanodegrees, "Cloud Basics" in nanodegrees) == (True, False)
    assert "Show everything" in nothing
    assert "<script>" not in nothing


async def test_a_sound_credential_is_green_and_a_revoked_one_red_at_its_standing(told: httpx.AsyncClient) -> None:
    good = (await told.get(f"/credentials/{CAPABILITY}", headers=BROWSER)).text
    bad = (await told.get(f"/credentials/{REVOKED_CAPABILITY}", headers=BROWSER)).text

    assert '<div class="verdict passed"' in good
    assert '<div class="verdict failed"' in bad
    assert "Do not rely on it" in bad
    assert re.search(r'class="failed">.{0,200}Not revoked', bad, re.DOTALL)


async def test_the_verify_form_works_without_a_script(told: httpx.AsyncClient) -> None:
    good = await told.post("/verify", files={"text": (None, signed())})
    altered = await told.post("/verify", data={"text": signed().replace("Ada Lovelace", "Eve Lovelace")})
    address = await told.post("/verify", data={"url": f"{PUBLIC}/credentials/{CAPABILITY}"})
    image = await told.get(f"/credentials/{CAPABILITY}.png")
    picture = await told.post("/verify", files={"file": ("badge.png", image.content, "image/png")})
    stranger = await told.post("/verify", data={"text": signed(), "recipient": "Eve Lovelace"})
    empty = await told.post("/verify", data={"text": " "})

    for answer in (good, address, picture):
        assert (answer.status_code, '<div class="verdict passed"' in answer.text) == (200, True)
    assert '<div class="verdict failed"' in altered.text
    assert "Not awarded to the person named" in stranger.text
    assert "Eve Lovelace" not in stranger.text
    assert "Paste a credential" in empty.text
    assert all(answer.headers["cache-control"] == "no-store" for answer in (good, altered, empty))


async def test_the_demo_page_runs_each_sample(world: World, database: Database, tmp_path: Path) -> None:
    await world.tell()
    samples = [
        {"name": "good", "title": "A good one", "story": "S", "expect": "green", "file": "a.json", "award_id": AWARD},
        {"name": "unsigned", "title": "An unsigned one", "story": "S", "expect": "red", "file": "b.json"},
    ]
    (tmp_path / "demo.json").write_bytes(msgspec.json.encode({"samples": samples}))
    (tmp_path / "a.json").write_text(signed())
    (tmp_path / "b.json").write_bytes(msgspec.json.encode(credential()))
    async with running(settings(database, CREDLEDGER_DEMO_FOLDER=str(tmp_path))) as caller:
        await world.settled()
        index = (await caller.get("/demo", headers=BROWSER)).text
        good = (await caller.get("/demo/good", headers=BROWSER)).text
        unsigned = (await caller.get("/demo/unsigned", headers=BROWSER)).text
        unknown = await caller.get("/demo/demo.json")

    assert 'href="/demo/good"' in index
    assert '<div class="verdict passed"' in good
    assert "position " in good
    assert '<div class="verdict failed"' in unsigned
    assert unknown.status_code == 404


async def test_an_award_s_page_tells_its_history_with_positions(told: httpx.AsyncClient) -> None:
    page = (await told.get(f"/v1/awards/{WITHDRAWN}", headers=BROWSER)).text

    assert [word for word in ("Awarded", "Revoked", "issued_in_error") if word not in page] == []
    assert len(set(re.findall(r"position \d+", page))) >= 2
