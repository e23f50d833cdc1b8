"""The link in a notice: it proves the address, opens one award, and lets its learner decide; nobody else's, ever."""

import base64
import contextlib
import html
import re
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from tests.journeys.problems import checked_problem
from tests.post_office import Mail, PostOffice
from tests.running import TLS, Institution, Running
from tests.servers import wait_until

from ledger.credentials.baking import unbake


class Awarded(msgspec.Struct):
    """An award and the mail about it."""

    institution: Institution
    email: str
    answer: Any
    mail: Mail


class Claims(msgspec.Struct):
    """A ledger with a post office, and browsers."""

    ledger: Running
    office: PostOffice
    clients: contextlib.ExitStack

    def institution(self) -> Institution:
        return self.ledger.institution(f"claims-{secrets.token_hex(4)}", name="Claim College")

    def award(self, institution: Institution | None = None, email: str | None = None, **learner: Any) -> Awarded:
        institution, email = institution or self.institution(), email or f"{secrets.token_hex(6)}@learner.example"
        achievement, before = self.ledger.achievement(institution), len(self.office.to(email))
        named = {"email": email, "name": f"Zora {secrets.token_hex(3)}", **learner}
        answer = self.ledger.award(institution, achievement, learner=named)
        return Awarded(institution, email, answer, self.office.wait_for(email, before + 1)[-1])

    def browser(self) -> "Browser":
        client = httpx.Client(timeout=30, verify=TLS, headers={"accept": "text/html"})
        return Browser(self.clients.enter_context(client))

    def events(self, topic: str) -> list[Any]:
        text = self.ledger.get("registry", "/v1/events?limit=100000", key=self.ledger.operator).text
        lines = [msgspec.json.decode(line) for line in text.splitlines()]
        return [line for line in lines if line["envelope"]["type"] == topic]


class Browser:
    """A learner's browser: opens pages, keeps cookies, sends the forms that are on them."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def open(self, link: str) -> httpx.Response:
        return self.client.get(link)

    def press(self, link: str, action: str, number: int = 0, **more: str) -> httpx.Response:
        """Send the n-th form of a page that has this action, with what else was filled in."""
        page = self.open(link).text
        forms = re.findall(rf'<form method="post" action="[^"]*/{action}">(.*?)</form>', page, re.DOTALL)
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', forms[number]))
        return self.client.post(f"{link}/{action}", data={**fields, **more}, follow_redirects=False)

    def confirm(self, link: str) -> str:
        """Press the button; the page that opens then."""
        answer = self.press(link, "confirmation")
        assert answer.status_code == 303, answer.text
        return html.unescape(self.open(link).text)


@pytest.fixture(scope="module")
def claims(ledger: Running, post_office: PostOffice) -> Iterator[Claims]:
    with contextlib.ExitStack() as clients:
        yield Claims(ledger, post_office, clients)


def test_opening_a_link_records_nothing_and_names_nobody_until_the_button_is_pressed(claims: Claims) -> None:
    award, browser = claims.award(), claims.browser()
    proven = len(claims.events("learner.email_proven"))

    first = browser.open(award.mail.link)

    name = award.answer["credential"]["credentialSubject"]["identifier"][1]["identityHash"]
    assert name.startswith("Zora")
    assert "Claim College" in first.text
    assert name not in first.text
    assert award.email not in first.text
    assert (first.headers["cache-control"], first.headers["x-robots-tag"]) == ("no-store", "noindex")
    assert "script-src 'nonce-" in first.headers["content-security-policy"]
    assert len(claims.events("learner.email_proven")) == proven

    page = browser.confirm(award.mail.link)

    assert f"Awarded to {name}" in page
    assert f"You confirmed {award.email}." in page
    claims.browser().confirm(award.mail.link)  # elsewhere, and once more: it is proven already
    events = claims.events("learner.email_proven")
    assert len(events) == proven + 1
    assert award.email not in str(events[-1])
    assert [committed["n"] for committed in events[-1]["envelope"]["pd"]] == ["email"]


def test_every_format_is_to_be_had_and_is_the_issued_one(claims: Claims) -> None:
    award, browser = claims.award(), claims.browser()
    browser.confirm(award.mail.link)

    found = {form: browser.open(f"{award.mail.link}/credential.{form}") for form in ("json", "jwt", "png", "svg")}

    assert [answer.status_code for answer in found.values()] == [200] * 4
    assert found["json"].json() == award.answer["credential"]
    assert httpx.get(f"{award.answer['credential_url']}.jwt", verify=TLS).text == found["jwt"].text
    for form in ("png", "svg"):
        assert msgspec.json.decode(unbake(found[form].content)) == award.answer["credential"]
        assert found[form].headers["content-disposition"] == f'attachment; filename="credential.{form}"'
    checked_problem(
        browser.client.get(f"{award.mail.link}/credential.exe", headers={"accept": "*/*"}), 404, "not_found"
    )


def test_the_learner_says_who_may_see_the_page(claims: Claims) -> None:
    award, browser = claims.award(), claims.browser()
    browser.confirm(award.mail.link)
    url = award.answer["credential_url"]

    def status() -> int:
        return browser.open(url).status_code

    assert 'content="noindex, nofollow"' in browser.open(url).text
    assert browser.press(award.mail.link, "publication", visibility="public").status_code == 303
    wait_until(lambda: "noindex" not in browser.open(url).text, 5, "the page may be indexed")
    assert "x-robots-tag" not in browser.open(url).headers

    browser.press(award.mail.link, "publication", visibility="hidden")
    wait_until(lambda: status() == 404, 5, "the page is closed")
    for suffix in ("", ".json", ".png"):
        answer = browser.client.get(url + suffix, headers={"accept": "*/*"})
        assert "closed this address" in checked_problem(answer, 404, "not_found")["detail"]
    checked_problem(claims.ledger.post("registry", "/v1/verifications", {"url": url}), 422, "refused")
    assert claims.ledger.verify(credential=award.answer["credential"])["verified"]  # what is handed over still holds
    assert browser.open(f"{award.mail.link}/credential.json").json() == award.answer["credential"]

    browser.press(award.mail.link, "publication", visibility="unlisted")
    wait_until(lambda: status() == 200, 5, "the page is back")
    said = [e["envelope"] for e in claims.events("award.publication_set") if award.answer["id"] in e["stream"]]
    assert [e["data"]["visibility"] for e in said] == ["public", "hidden", "unlisted"]
    assert {e["actor"]["role"] for e in said} == {"learner"}


def test_one_form_sent_twice_is_one_wish(claims: Claims) -> None:
    award, browser = claims.award(), claims.browser()
    browser.confirm(award.mail.link)
    page = browser.open(award.mail.link).text
    form = re.search(r'publication">\s*<input type="hidden" name="form" value="([^"]*)"', page)
    assert form is not None
    for visibility in ("public", "hidden", "public"):
        sent = browser.client.post(f"{award.mail.link}/publication",
                                   data={"form": form.group(1), "visibility": visibility})  # fmt: skip
        assert sent.status_code == 303
    assert len([e for e in claims.events("award.publication_set") if award.answer["id"] in e["stream"]]) == 1


def test_nothing_opens_in_a_browser_where_nobody_pressed_the_button(claims: Claims) -> None:
    award, owner, stranger = claims.award(), claims.browser(), claims.browser()
    owner.confirm(award.mail.link)

    assert "Confirm and open" in stranger.open(award.mail.link).text
    refused = stranger.client.get(f"{award.mail.link}/credential.json", headers={"accept": "*/*"})
    checked_problem(refused, 403, "forbidden")
    page = owner.open(award.mail.link).text
    form = re.search(r'publication">\s*<input type="hidden" name="form" value="([^"]*)"', page)
    assert form is not None
    sent = stranger.client.post(f"{award.mail.link}/publication", data={"form": form.group(1), "visibility": "public"})
    checked_problem(sent, 403, "forbidden")


def test_a_form_from_elsewhere_or_of_another_page_is_refused(claims: Claims) -> None:
    mine, other, browser = claims.award(), claims.award(), claims.browser()
    page = browser.open(other.mail.link).text
    form = re.search(r'name="form" value="([^"]*)"', page)
    assert form is not None

    for fields, headers in (
        ({}, {}),
        ({"form": form.group(1)}, {}),
        ({"form": "1.a.b"}, {}),
        ({"form": "ü"}, {}),
    ):
        answer = browser.client.post(f"{mine.mail.link}/confirmation", data=fields, headers=headers)
        checked_problem(answer, 403, "forbidden")
    right = re.search(r'name="form" value="([^"]*)"', browser.open(mine.mail.link).text)
    assert right is not None
    answer = browser.client.post(f"{mine.mail.link}/confirmation", data={"form": right.group(1)},
                                 headers={"sec-fetch-site": "cross-site"})  # fmt: skip
    checked_problem(answer, 403, "forbidden")


def test_no_other_text_is_a_link(claims: Claims) -> None:
    award, other, browser = claims.award(), claims.award(), claims.browser()
    browser.confirm(award.mail.link)
    place, _, token = award.mail.link.rpartition("/")
    raw = base64.urlsafe_b64decode(token + "=")
    strange = base64.urlsafe_b64decode(other.mail.link.rpartition("/")[2] + "=")
    mixed = base64.urlsafe_b64encode(strange[:16] + raw[16:]).decode().rstrip("=")  # another's notice, my tag

    last = "A" if token[-1] != "A" else "B"
    for text in (
        mixed,
        token[:-1],
        token + "A",
        token[:-1] + last,
        token[1:],
        "A" * 43,
        "%00",
        "ü" * 3,
        award.mail.notice_id,
    ):
        answer = browser.client.get(f"{place}/{text}", headers={"accept": "*/*"})
        checked_problem(answer, 404, "not_found")


def test_a_link_ends_after_thirty_days(claims: Claims, ledger_database: Any) -> None:
    award, browser = claims.award(), claims.browser()
    browser.confirm(award.mail.link)

    ledger_database("UPDATE issuance.notice_states SET not_before = now() - interval '30 days' WHERE notice_id = $1",
                    award.mail.notice_id)  # fmt: skip

    answer = browser.client.get(award.mail.link, headers={"accept": "*/*"})
    assert "expired" in checked_problem(answer, 410, "gone")["detail"]


def test_a_revoked_award_is_shown_as_what_it_is(claims: Claims) -> None:
    award, browser = claims.award(), claims.browser()
    answer = claims.ledger.post("revocation", f"/v1/awards/{award.answer['id']}/revocation",
                                {"reason_code": "issued_in_error"}, key=award.institution.api_key)  # fmt: skip
    assert answer.is_success

    page = browser.confirm(award.mail.link)

    assert '<span class="badge failed"><span aria-hidden="true">✕</span> Withdrawn</span>' in page


def test_after_erasure_the_link_opens_nothing(claims: Claims) -> None:
    award, browser = claims.award(), claims.browser()
    browser.confirm(award.mail.link)
    erased = claims.ledger.post("issuance", f"/v1/learners/{award.answer['learner_id']}/erasure", {},
                                key=award.institution.api_key)  # fmt: skip
    assert erased.is_success

    for path in ("", "/credential.json"):
        answer = browser.client.get(award.mail.link + path, headers={"accept": "*/*"})
        assert checked_problem(answer, 410, "gone")["detail"].startswith("This record was erased")


def test_the_same_address_at_two_institutions_is_joined_by_its_learner(claims: Claims) -> None:
    first = claims.award()
    second = claims.award(email=first.email)
    browser, later = claims.browser(), claims.browser()
    assert "Is this you as well?" not in browser.confirm(first.mail.link)  # the other address is not proven yet

    page = later.confirm(second.mail.link)
    assert "Is this you as well?" in page
    assert later.press(second.mail.link, "joining").status_code == 303

    assert "Is this you as well?" not in later.open(second.mail.link).text
    assert "Is this you as well?" not in browser.open(first.mail.link).text
    learners = {first.answer["learner_id"], second.answer["learner_id"]}
    joined = [e["envelope"] for e in claims.events("learner.joined") if e["envelope"]["subj"] in learners]
    assert {(e["inst"], e["subj"]) for e in joined} == {
        (first.institution.id, first.answer["learner_id"]), (second.institution.id, second.answer["learner_id"]),
    }  # fmt: skip
    assert len({e["data"]["person"] for e in joined}) == 1
    own = claims.ledger.get("registry", "/v1/events?limit=100000", key=first.institution.api_key).text
    assert second.institution.id not in own  # no institution learns of the other


def test_two_addresses_at_one_institution_are_joined_when_both_were_confirmed_in_one_browser(claims: Claims) -> None:
    institution = claims.institution()
    first, second, third = (claims.award(institution) for _ in range(3))
    browser, stranger = claims.browser(), claims.browser()
    browser.confirm(first.mail.link)
    stranger.confirm(third.mail.link)

    page = browser.confirm(second.mail.link)

    assert first.email in page
    assert third.email not in page
    forged = browser.press(second.mail.link, "joining", record=third.answer["learner_id"])
    checked_problem(forged, 404, "not_found")
    assert browser.press(second.mail.link, "joining").status_code == 303
    assert "The records are joined." in browser.open(f"{second.mail.link}?done=joined_now").text
    learners = {award.answer["learner_id"] for award in (first, second, third)}
    joined = {e["envelope"]["subj"] for e in claims.events("learner.joined")} & learners
    assert joined == {first.answer["learner_id"], second.answer["learner_id"]}


def test_joining_two_who_were_joined_before_makes_one_person(claims: Claims) -> None:
    a = claims.award()
    b = claims.award(email=a.email)
    c = claims.award()
    d = claims.award(email=c.email)
    browser = claims.browser()
    for one, other in ((a, b), (c, d)):
        claims.browser().confirm(one.mail.link)
        fresh = claims.browser()
        fresh.confirm(other.mail.link)
        assert fresh.press(other.mail.link, "joining").status_code == 303
    browser.confirm(a.mail.link)
    browser.confirm(c.mail.link)
    assert browser.press(c.mail.link, "joining").status_code == 303

    learners = [x.answer["learner_id"] for x in (a, b, c, d)]
    persons = {e["envelope"]["subj"]: e["envelope"]["data"]["person"] for e in claims.events("learner.joined")}
    assert len({persons[learner] for learner in learners}) == 1


def test_the_page_speaks_the_learners_language(claims: Claims) -> None:
    award, browser = claims.award(language="de"), claims.browser()

    assert "Bestätigen und öffnen" in html.unescape(browser.open(award.mail.link).text)
    page = browser.confirm(award.mail.link)

    assert '<html lang="de">' in page
    assert "Wer ihn sehen darf" in page


def test_no_log_line_holds_a_link_or_a_name(claims: Claims) -> None:
    award, browser = claims.award(), claims.browser()
    browser.confirm(award.mail.link)
    browser.press(award.mail.link, "publication", visibility="public")
    token = award.mail.link.rpartition("/")[2]

    log = claims.ledger.log("issuance")

    assert "/claims/{token}" in log
    for secret in (token, award.email, "Zora"):
        assert secret not in log
