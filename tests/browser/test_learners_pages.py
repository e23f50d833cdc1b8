"""What a learner sees behind the link in a mail, and the local page of mails: narrow and wide, light and dark."""

import html
import os
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from tests import servers
from tests.conftest import new_database
from tests.running import Running, running
from tests.servers import PostgresServer, wait_until

SIZES = {"narrow": (360, 740), "wide": (1280, 900)}


class Learner(msgspec.Struct, frozen=True):
    """A running ledger that writes its mails into a folder, and the links that learners got."""

    ledger: Running
    mails: Path
    link: str
    other: str
    german: str
    credential_url: str


@pytest.fixture(scope="module")
def learner(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Learner]:
    database = new_database(postgres_server)
    roles = {"issuance": database.issuance, "registry": database.registry, "revocation": database.revocation}
    folder = tmp_path_factory.mktemp("learner")
    mails = folder / "mail"
    with servers.nats() as nats, running(roles, nats, folder, CREDLEDGER_MAIL_FOLDER=str(mails)) as ledger:
        first = ledger.institution("nova", name="Nova University", email="badges@nova.example")
        second = ledger.institution("sigma", name="Sigma Bootcamp for Very Practical Data Engineering")
        ada = {"email": "ada@learner.example", "name": "Ada Example"}
        award = ledger.award(first, ledger.achievement(first, "Data Basics"), learner=ada,
                             valid_until="2031-01-01T00:00:00Z")  # fmt: skip
        ledger.award(second, ledger.achievement(second, "Pipelines"), learner=ada)
        adele = {"email": "adele@learner.example", "name": "Adele Beispiel", "language": "de"}
        ledger.award(first, ledger.achievement(first, "Statistik"), learner=adele)
        wait_until(lambda: len(list(mails.glob("*.eml"))) == 3, 15, "three mails are written")
        found = {subject_of(file): link_in(file) for file in mails.glob("*.eml")}
        named = [next(link for subject, link in found.items() if word in subject) for word in
                 ("Data Basics", "Pipelines", "Statistik")]  # fmt: skip
        yield Learner(ledger, mails, *named, award["credential_url"])


def mail(file: Path) -> EmailMessage:
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def subject_of(file: Path) -> str:
    return str(mail(file)["Subject"])


def link_in(file: Path) -> str:
    body = mail(file).get_body(("plain",))
    assert body is not None
    return next(line for line in body.get_content().splitlines() if "/claims/" in line)


def is_fine(page: Page) -> None:
    """Nothing that axe finds, nothing wider than the screen, nobody else asked."""
    found = Axe().run(page).response["violations"]
    assert not found, [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def confirmed(page: Page, link: str, button: str = "Confirm and open") -> None:
    page.goto(link)
    page.get_by_role("button", name=button).click()


def shot(page: Page, name: str) -> None:
    """A picture for whoever wants to look: CREDLEDGER_SHOTS names a folder."""
    if folder := os.environ.get("CREDLEDGER_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_learners_pages_are_fine_on_every_screen(
    browser: Browser, learner: Learner, size: str, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": SIZES[size][0], "height": SIZES[size][1]},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page, foreign = context.new_page(), []
    page.on("request", lambda request: foreign.append(request.url) if "localhost" not in request.url else None)

    page.goto(learner.link)
    is_fine(page)
    shot(page, f"intro-{size}-{scheme}")
    confirmed(page, learner.other)
    confirmed(page, learner.link)
    expect(page.get_by_role("heading", name="Is this you as well?")).to_be_visible()
    is_fine(page)
    shot(page, f"claim-{size}-{scheme}")
    page.goto(f"{learner.ledger.url('issuance')}/mail")
    is_fine(page)
    shot(page, f"mails-{size}-{scheme}")
    page.get_by_role("link", name="Data Basics").click()
    expect(page.get_by_text("Congratulations!")).to_be_visible()
    is_fine(page)
    shot(page, f"mail-{size}-{scheme}")
    page.get_by_role("link", name="As a mail program shows it").click()
    expect(page.get_by_role("link", name="Open your credential")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    shot(page, f"mail-html-{size}-{scheme}")
    assert foreign == []
    context.close()


def test_a_learner_decides_who_may_see_the_page(page: Page, learner: Learner) -> None:
    confirmed(page, learner.link)
    expect(page.get_by_text("Awarded to Ada Example")).to_be_visible()
    assert "Ada" not in page.title()
    expect(page.get_by_label("Only people who have its address")).to_be_checked()
    assert page.evaluate("document.querySelector('img.art').naturalWidth") > 0

    page.get_by_label("Nobody", exact=True).check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    expect(page.get_by_label("Nobody", exact=True)).to_be_checked()
    stranger = page.context.new_page()

    def closed() -> bool:
        return "closed this address" in html.unescape(stranger.goto(learner.credential_url).text())  # type: ignore[union-attr]

    wait_until(closed, 5, "the address is closed")
    page.get_by_label("Only people who have its address").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")


def test_the_picture_is_downloaded_by_a_click(page: Page, learner: Learner) -> None:
    confirmed(page, learner.link)

    with page.expect_download() as download:
        page.get_by_role("link", name="Badge picture (PNG)").click()

    assert download.value.suggested_filename == "credential.png"
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


def test_the_keyboard_is_enough(page: Page, learner: Learner) -> None:
    page.goto(learner.link)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Confirm and open")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Who may see it")).to_be_visible()


def test_the_page_speaks_german_to_who_reads_german(page: Page, learner: Learner) -> None:
    confirmed(page, learner.german, "Bestätigen und öffnen")

    expect(page.get_by_text("Verliehen an Adele Beispiel")).to_be_visible()
    is_fine(page)
    shot(page, "claim-german")


def test_joining_is_one_click(page: Page, learner: Learner) -> None:
    confirmed(page, learner.other)
    confirmed(page, learner.link)
    page.get_by_role("button", name="Join with Sigma").click()

    expect(page.get_by_role("status")).to_have_text("The records are joined.")
    expect(page.get_by_role("heading", name="Is this you as well?")).to_have_count(0)
