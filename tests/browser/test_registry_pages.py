"""The registry's pages in a real browser: for everyone, narrow and wide, light and dark, with and without script."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from tests import servers
from tests.conftest import Database, new_database, run_apart
from tests.registry.world import (
    ACHIEVEMENT,
    AWARD,
    CAPABILITY,
    NOVA,
    PEPPER,
    REVOKED_CAPABILITY,
    SECRET,
    WITHDRAWN,
    World,
    credential,
    did,
    signed,
)
from tests.servers import PostgresServer

from ledger.events import InstitutionClosed, InstitutionMoved, InstitutionRenamed

ELM = "inst_" + "e" * 26
WHY = {"reason_code": "board_decision", "authority": "Ministry of Education"}
PAGES = {
    "catalogue": "/",
    "issuers": "/issuers",
    "issuer": "/issuers/nova",
    "closed issuer": "/issuers/elm",
    "achievement": f"/achievements/{ACHIEVEMENT}/versions/2",
    "award": f"/v1/awards/{WITHDRAWN}",
    "credential": f"/credentials/{CAPABILITY}",
    "revoked": f"/credentials/{REVOKED_CAPABILITY}",
    "verify": "/verify",
    "demo": "/demo",
    "sample": "/demo/good",
    "altered": "/demo/altered",
}
SAMPLES = [
    {
        "name": "good",
        "title": "A badge that holds",
        "story": "Nova awarded it, and it stands.",
        "expect": "all green",
        "file": "good.json",
        "award_id": AWARD,
    },
    {
        "name": "altered",
        "title": "One letter of the name changed",
        "story": "Somebody made it their own.",
        "expect": "red at the signature and at what was recorded",
        "file": "altered.json",
    },
]


@pytest.fixture(scope="module")
def site(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a registry that has seen a whole story."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "demo.json").write_bytes(msgspec.json.encode({"samples": SAMPLES}))
    (folder / "good.json").write_text(signed())
    (folder / "altered.json").write_text(signed().replace("Ada", "Adi"))
    database = new_database(postgres_server)
    run_apart(_tell(database))
    port = servers.free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "CREDLEDGER_DATABASE_URL": database.registry,
        "CREDLEDGER_NATS_URL": "nats://127.0.0.1:1",
        "CREDLEDGER_SERVER_SECRET": SECRET.hex(),
        "CREDLEDGER_KEY_PEPPER": PEPPER.hex(),
        "CREDLEDGER_PORT": str(port),
        "CREDLEDGER_PUBLIC_URL": "http://localhost:8000",
        "CREDLEDGER_STATUS_URL": "http://localhost:8002",
        "CREDLEDGER_DEMO_FOLDER": str(folder),
        "CREDLEDGER_LOG_LEVEL": "warning",
    }
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, "-m", "registry"], env=environment, stderr=subprocess.DEVNULL)
    try:
        servers.wait_until(lambda: _answers(f"{address}/readyz"), 30, "the registry is ready")
        servers.wait_until(lambda: _answers(f"{address}/v1/awards/{WITHDRAWN}"), 30, "the registry has caught up")
        yield address
    finally:
        process.terminate()
        process.wait(10)


async def _tell(database: Database) -> None:
    world = await World.open(database)
    await world.tell()
    await world.institution(ELM, "elm", "Elm College")
    names = {"name": "Elm Academy", "previous_name": "Elm College"}
    dids = {"did": "did:web:badges.elm.example", "previous_did": did("elm")}
    await world.append(
        f"institution/{ELM}",
        InstitutionRenamed(**WHY, **names),
        InstitutionMoved(**WHY, **dids),
        InstitutionClosed(**WHY, successor=NOVA),
        tenant=ELM,
    )
    await world.close()


def _answers(address: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(address, timeout=5).status_code == 200
    return False


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_a_page_is_accessible_narrow_and_asks_nobody_else(page: Page, site: str, path: str) -> None:
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.set_viewport_size({"width": 320, "height": 640})

    page.goto(f"{site}{path}", wait_until="networkidle")

    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert [url for url in asked if not url.startswith((site, "data:"))] == []
    assert faults == []
    expect(page.get_by_text("TEST", exact=True)).to_be_visible()
    expect(page.locator("h1")).to_have_count(1)


@pytest.mark.parametrize("path", [PAGES["catalogue"], PAGES["altered"], PAGES["credential"]])
def test_a_page_reads_well_in_the_dark(browser: Browser, site: str, path: str) -> None:
    context = browser.new_context(color_scheme="dark", viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.goto(f"{site}{path}", wait_until="networkidle")

    found = Axe().run(page)

    assert found.violations_count == 0, found.generate_report()
    context.close()


def test_the_page_of_a_closed_issuer_tells_what_became_of_it(page: Page, site: str) -> None:
    page.goto(f"{site}/issuers/elm")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Elm Academy")
    expect(page.locator(".notice.bad")).to_contain_text("This institution was closed.")
    expect(page.get_by_text("Formerly Elm College.")).to_be_visible()
    expect(page.get_by_text(did("elm")).first).to_be_visible()
    expect(page.get_by_text("decided by Ministry of Education").first).to_be_visible()
    page.get_by_role("link", name="Nova", exact=True).click()
    assert page.url == f"{site}/issuers/nova"


def test_a_pasted_credential_is_judged_without_leaving_the_page(page: Page, site: str) -> None:
    page.goto(f"{site}/verify")
    page.get_by_label("Paste it").fill(signed())
    page.get_by_role("button", name="Verify").click()

    expect(page.locator(".verdict.passed")).to_contain_text("Verified")
    assert page.url == f"{site}/verify"
    expect(page.get_by_label("Paste it")).to_have_value(signed())

    page.get_by_label("Paste it").fill(signed().replace("Ada", "Adi"))
    page.get_by_role("button", name="Verify").click()
    expect(page.locator(".verdict.failed")).to_contain_text("The signature does not hold")


def test_a_chosen_badge_picture_is_judged(page: Page, site: str, tmp_path: Path) -> None:
    (tmp_path / "badge.png").write_bytes(httpx.get(f"{site}/credentials/{CAPABILITY}.png").content)
    page.goto(f"{site}/verify")

    page.set_input_files("#file", tmp_path / "badge.png")
    page.get_by_role("button", name="Verify").click()

    expect(page.locator(".verdict.passed")).to_be_visible()
    expect(page.locator(".check.passed")).not_to_have_count(0)


def test_a_link_that_carries_a_credential_is_judged_on_arrival(page: Page, site: str) -> None:
    page.goto(f"{site}/verify#verify?vc=http://localhost:8000/credentials/{REVOKED_CAPABILITY}")

    expect(page.locator(".verdict.failed")).to_contain_text("Revoked or suspended")


def test_without_script_the_form_says_the_same(browser: Browser, site: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/verify")
    page.get_by_label("Paste it").fill(msgspec.json.encode(credential()).decode())
    page.get_by_role("button", name="Verify").click()

    expect(page.locator(".verdict.failed")).to_be_visible()
    context.close()


def test_the_page_of_a_credential_asks_again_on_demand(page: Page, site: str) -> None:
    page.goto(f"{site}/credentials/{CAPABILITY}")
    expect(page.get_by_text("Ada Lovelace")).to_be_visible()
    assert "Ada" not in page.title()
    with page.expect_response(lambda answer: "/credentials/" in answer.url):
        page.get_by_role("button", name="Check again now").click()

    expect(page.locator(".verdict.passed")).to_be_visible()


def test_the_keyboard_reaches_the_content_first(page: Page, site: str) -> None:
    page.goto(f"{site}/")
    page.keyboard.press("Tab")

    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
