"""What learners are told by mail: once for each event, in their language, at the right time, never after erasure."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.journeys.problems import checked_problem
from tests.post_office import OK, Mail, PostOffice
from tests.running import Institution, Running
from tests.servers import wait_until


class Desk(msgspec.Struct):
    """An institution with an achievement, and the post office where its mails arrive."""

    ledger: Running
    office: PostOffice
    institution: Institution
    achievement: str

    def somebody(self) -> str:
        return f"learner-{secrets.token_hex(6)}@learner.example"

    def award(self, email: str | None, *, learner: dict[str, Any] | None = None, **more: Any) -> Any:
        named = {"name": "Ada Example", **({"email": email} if email else {}), **(learner or {})}
        return self.ledger.award(self.institution, self.achievement, learner=named, **more)

    def notices(self, award_id: str) -> list[Any]:
        path = f"/v1/notices?award_id={award_id}"
        return list(self.ledger.get("issuance", path, key=self.institution.api_key).json()["data"])

    def wait_for_state(self, award_id: str, state: str, kind: str = "awarded") -> Any:
        """The notice about an award, as soon as it is in a state."""
        found: list[Any] = []

        def reached() -> bool:
            found[:] = [n for n in self.notices(award_id) if (n["kind"], n["state"]) == (kind, state)]
            return bool(found)

        wait_until(reached, 15, f"a notice {kind} that is {state}")
        return found[0]

    def change(self, award_id: str, change: str) -> None:
        reason = {"suspension": "under_review", "reinstatement": "review_cleared"}.get(change, "issued_in_error")
        answer = self.ledger.post("revocation", f"/v1/awards/{award_id}/{change}", {"reason_code": reason},
                                  key=self.institution.api_key)  # fmt: skip
        assert answer.is_success, answer.text

    def events(self, topic: str, award_id: str) -> list[Any]:
        """What the log says of an award's notices."""
        text = self.ledger.get("registry", "/v1/events?limit=100000", key=self.institution.api_key).text
        envelopes = [msgspec.json.decode(line)["envelope"] for line in text.splitlines()]
        return [e for e in envelopes if e["type"] == topic and e["data"].get("award_id") == award_id]


@pytest.fixture(scope="module")
def desk(ledger: Running, post_office: PostOffice) -> Desk:
    institution = ledger.institution("notices", name="Nova University", email="badges@nova.example")
    return Desk(ledger, post_office, institution, ledger.achievement(institution))


def test_an_award_writes_one_mail_with_everything_a_mail_needs(desk: Desk) -> None:
    email = desk.somebody()
    award = desk.award(email, awarded_date="2026-03-01T12:00:00Z")

    (mail,) = desk.office.wait_for(email)
    notice = desk.wait_for_state(award["id"], "sent")

    assert mail.notice_id == notice["id"]
    assert str(mail.message["From"]) == "Nova University <notices@localhost>"
    assert mail.sender == f"notices+{notice['id']}@localhost"
    assert (mail.message["Reply-To"], mail.message["Auto-Submitted"]) == ("badges@nova.example", "auto-generated")
    assert mail.message["Subject"] == "[TEST] Your credential “Data Basics” from Nova University"
    assert "Hello Ada Example," in mail.text
    assert "On March 1, 2026, Nova University awarded you “Data Basics”." in mail.text
    assert f'href="{mail.link}"' in mail.html
    assert mail.link.startswith(f"{desk.ledger.url('issuance')}/claims/")
    assert [e["data"]["notice_id"] for e in desk.events("notice.sent", award["id"])] == [notice["id"]]
    assert desk.office.to(email) == [mail]


def test_each_change_of_standing_is_told_once(desk: Desk) -> None:
    email = desk.somebody()
    award = desk.award(email)["id"]

    desk.office.wait_for(email)
    for number, change in enumerate(("suspension", "reinstatement", "revocation"), 2):
        desk.change(award, change)
        desk.office.wait_for(email, number)
    desk.wait_for_state(award, "sent", "revoked")

    subjects = [str(mail.message["Subject"]) for mail in desk.office.to(email)]
    assert subjects == [
        "[TEST] Your credential “Data Basics” from Nova University",
        "[TEST] Your credential “Data Basics” is suspended",
        "[TEST] Your credential “Data Basics” is valid again",
        "[TEST] Your credential “Data Basics” was withdrawn",
    ]
    assert len({mail.message_id for mail in desk.office.to(email)}) == 4


def test_a_correction_is_told_and_an_address_that_the_institution_changed_is_the_one_written_to(desk: Desk) -> None:
    first, second = desk.somebody(), desk.somebody()
    award = desk.award(first)
    desk.office.wait_for(first)
    key = desk.institution.api_key

    corrected = desk.ledger.post("issuance", f"/v1/awards/{award['id']}/correction",
                                 {"changes": {"learner": {"name": "Ada Right"}}, "reason_code": "name_error"},
                                 key=key)  # fmt: skip
    assert corrected.is_success, corrected.text
    mail = desk.office.wait_for(first, 2)[1]
    assert str(mail.message["Subject"]) == "[TEST] Your credential “Data Basics” was corrected"
    assert "Hello Ada Right," in mail.text

    path = f"/v1/learners/{award['learner_id']}"
    etag = desk.ledger.get("issuance", path, key=key).headers["etag"]
    changed = desk.ledger.call(
        "PUT",
        "issuance",
        path,
        {"name": "Ada Right", "identifiers": [{"kind": "email", "value": second}]},
        key=key,
        if_match=etag,
    )
    assert changed.is_success, changed.text
    desk.change(award["id"], "suspension")
    assert str(desk.office.wait_for(second)[0].message["Subject"]).endswith("is suspended")
    assert len(desk.office.to(first)) == 2


def test_a_renewal_date_is_told_a_month_ahead_unless_it_was_renewed_or_put_off(desk: Desk) -> None:
    soon, later, renewed = desk.somebody(), desk.somebody(), desk.somebody()
    at = (datetime.now(UTC) + timedelta(days=20)).strftime("%Y-%m-%dT00:00:00Z")
    desk.award(soon, renew_by=at)
    waiting = desk.award(later, renew_by="2031-03-31T00:00:00Z")
    old = desk.award(renewed, renew_by="2031-03-31T00:00:00Z")
    desk.award(renewed, renews=old["id"], on_duplicate="allow")

    subjects = {str(mail.message["Subject"]) for mail in desk.office.wait_for(soon, 2)}
    assert any("is to be renewed by" in subject for subject in subjects)
    assert desk.wait_for_state(waiting["id"], "due", "renewal")["not_before"] == "2031-03-01T00:00:00Z"
    assert desk.wait_for_state(old["id"], "withheld", "renewal")["reason"] == "renewed"
    put_off = desk.ledger.post("issuance", f"/v1/awards/{waiting['id']}/correction",
                               {"changes": {"renew_by": "2032-03-31T00:00:00Z"}, "reason_code": "content_error"},
                               key=desk.institution.api_key)  # fmt: skip
    assert put_off.is_success, put_off.text
    assert desk.wait_for_state(waiting["id"], "withheld", "renewal")["reason"] == "corrected"
    assert desk.wait_for_state(waiting["id"], "due", "renewal")["not_before"] == "2032-03-01T00:00:00Z"


def test_the_address_beside_a_did_or_a_student_id_is_written_to(desk: Desk) -> None:
    first, second = desk.somebody(), desk.somebody()
    desk.award(first, learner={"did": f"did:example:{secrets.token_hex(6)}"})
    desk.award(second.upper(), learner={"student_id": secrets.token_hex(6)})

    assert desk.office.wait_for(first)[0].recipient == first
    assert desk.office.wait_for(second)[0].recipient == second


def test_a_learner_without_an_address_is_said_to_have_none(desk: Desk) -> None:
    award = desk.award(None, learner={"student_id": secrets.token_hex(6)})

    assert desk.wait_for_state(award["id"], "failed")["reason"] == "no_address"


@pytest.mark.parametrize(
    ("language", "subject", "words"),
    [
        ("de", "Ihr Nachweis „Data Basics“ von Nova University", "am 1. März 2026"),
        ("de-AT", "Ihr Nachweis „Data Basics“ von Nova University", "am 1. März 2026"),
        ("fr", "Votre attestation « Data Basics » de Nova University", "Le 1 mars 2026"),
        ("es", "Su credencial «Data Basics» de Nova University", "El 1 de marzo de 2026"),
        ("pt", "Your credential “Data Basics” from Nova University", "On March 1, 2026"),
    ],
)
def test_the_learners_language_is_spoken(desk: Desk, language: str, subject: str, words: str) -> None:
    email = desk.somebody()
    desk.award(email, learner={"language": language}, awarded_date="2026-03-01T12:00:00Z")

    (mail,) = desk.office.wait_for(email)

    assert str(mail.message["Subject"]) == f"[TEST] {subject}"
    assert words in mail.text


def test_nothing_is_said_before_its_time_and_a_new_release_date_moves_what_waits(
    ledger: Running, post_office: PostOffice
) -> None:
    institution = ledger.institution(f"release-{secrets.token_hex(3)}")
    desk = Desk(ledger, post_office, institution, ledger.achievement(institution))
    late, early, revoked = desk.somebody(), desk.somebody(), desk.somebody()
    settings = {"enabled": True, "language": "en", "not_before": "2099-01-01T00:00:00Z"}
    assert ledger.call("PUT", "issuance", "/v1/notice-settings", settings, key=institution.api_key).is_success

    waiting = desk.award(early)
    withheld = desk.award(revoked)
    own = desk.award(late, notify_after="2098-01-01T00:00:00+02:00")
    assert desk.wait_for_state(waiting["id"], "due")["not_before"] == "2099-01-01T00:00:00Z"
    desk.change(withheld["id"], "revocation")
    answer = ledger.call("PUT", "issuance", "/v1/notice-settings", {"enabled": True}, key=institution.api_key)
    assert answer.is_success

    desk.office.wait_for(early)
    assert desk.wait_for_state(own["id"], "due")["not_before"] == "2097-12-31T22:00:00Z"
    states = {(n["kind"], n["state"], n["reason"]) for n in desk.notices(withheld["id"])}
    assert states == {("awarded", "withheld", "revoked_before"), ("revoked", "withheld", "revoked_before")}
    assert desk.office.to(late) == desk.office.to(revoked) == []


def test_an_institution_may_tell_nobody(ledger: Running, post_office: PostOffice) -> None:
    institution = ledger.institution(f"silent-{secrets.token_hex(3)}")
    desk = Desk(ledger, post_office, institution, ledger.achievement(institution))
    answer = ledger.call("PUT", "issuance", "/v1/notice-settings", {"enabled": False}, key=institution.api_key)
    assert answer.is_success

    email = desk.somebody()
    assert desk.wait_for_state(desk.award(email)["id"], "withheld")["reason"] == "disabled"
    assert desk.office.to(email) == []


def test_an_erased_learner_gets_nothing(desk: Desk) -> None:
    email = desk.somebody()
    award = desk.award(email, notify_after="2098-01-01T00:00:00Z")
    erased = desk.ledger.post("issuance", f"/v1/learners/{award['learner_id']}/erasure", {},
                              key=desk.institution.api_key)  # fmt: skip
    assert erased.is_success

    notice = desk.wait_for_state(award["id"], "erased")
    again = desk.ledger.post("issuance", f"/v1/notices/{notice['id']}/resend", {}, key=desk.institution.api_key)

    checked_problem(again, 410, "gone")
    assert desk.office.to(email) == []


def test_a_mail_that_is_refused_for_a_while_is_tried_again_and_one_that_never_fits_is_recorded(desk: Desk) -> None:
    busy, unfit = desk.somebody(), desk.somebody()
    tries: list[str] = []

    def sometimes(recipient: str) -> str:
        if recipient == unfit:
            return "554 5.7.1 We do not like this"
        if recipient == busy and not tries:
            tries.append(recipient)
            return "451 4.7.1 Come back later"
        return OK

    desk.office.answer_data = sometimes
    try:
        first, second = desk.award(busy), desk.award(unfit)
        (mail,) = desk.office.wait_for(busy)
        assert desk.wait_for_state(first["id"], "sent")["id"] == mail.notice_id
        assert desk.wait_for_state(second["id"], "failed")["reason"] == "refused"
    finally:
        desk.office.answer_data = lambda _: OK
    assert tries == [busy]
    assert [e["data"]["smtp_code"] for e in desk.events("notice.failed", second["id"])] == [554]


def test_an_address_that_takes_no_mail_is_not_written_to_again(desk: Desk) -> None:
    gone = desk.somebody()
    desk.office.answer_recipient = lambda to: "550 5.1.1 No such user" if to == gone else OK
    try:
        award = desk.award(gone)
        notice = desk.wait_for_state(award["id"], "bounced")
    finally:
        desk.office.answer_recipient = lambda _: OK

    again = desk.ledger.post("issuance", f"/v1/notices/{notice['id']}/resend", {}, key=desk.institution.api_key)
    assert again.status_code == 201, again.text

    def refused() -> bool:
        return any(n["reason"] == "address_bounced" for n in desk.notices(award["id"]))

    wait_until(refused, 15, "the copy is refused")
    assert desk.office.to(gone) == []


def bounce(mail: Mail, *, action: str = "failed", status: str = "5.1.1", named_by: str = "headers") -> str:
    """A delivery status notification about a mail, as Postfix writes it."""
    to = mail.sender if named_by == "return path" else "notices@localhost"
    returned = mail.raw.decode("utf-8").partition("\n\r\n")[0] if named_by == "headers" else "Subject: none\r\n"
    return (
        f"From: MAILER-DAEMON@mx.example\r\nTo: {to}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        "MIME-Version: 1.0\r\nAuto-Submitted: auto-replied\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\r\n\r\n'
        "--B\r\nContent-Type: text/plain\r\n\r\nI am sorry.\r\n"
        "--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {mail.recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 no such user\r\n\r\n"
        f"--B\r\nContent-Type: text/rfc822-headers\r\n\r\n{returned}\r\n--B--\r\n"
    )


@pytest.mark.parametrize("named_by", ["headers", "return path"])
def test_a_mail_that_comes_back_is_recorded_and_its_address_not_used_again(desk: Desk, named_by: str) -> None:
    email = desk.somebody()
    award = desk.award(email)
    (mail,) = desk.office.wait_for(email)
    notice = desk.wait_for_state(award["id"], "sent")
    post = desk.ledger.post

    late = post("issuance", "/v1/notices/bounces", {"message": bounce(mail, action="delayed", status="4.4.1")},
                key=desk.institution.api_key)  # fmt: skip
    told = post("issuance", "/v1/notices/bounces", {"message": bounce(mail, named_by=named_by)},
                key=desk.ledger.operator)  # fmt: skip

    assert late.json() == {"notice_id": notice["id"], "award_id": award["id"], "status": "4.4.1", "bounced": False}
    assert told.json() == {"notice_id": notice["id"], "award_id": award["id"], "status": "5.1.1", "bounced": True}
    desk.wait_for_state(award["id"], "bounced")
    desk.change(award["id"], "suspension")
    assert desk.wait_for_state(award["id"], "failed", "suspended")["reason"] == "address_bounced"
    assert desk.office.to(email) == [mail]
    assert email not in str(desk.events("notice.bounced", award["id"]))


def test_what_is_no_report_or_names_nothing_of_ours_is_refused(desk: Desk) -> None:
    email = desk.somebody()
    desk.award(email)
    (mail,) = desk.office.wait_for(email)
    nobody = mail.notice_id[:-1] + ("a" if mail.notice_id[-1] != "a" else "e")
    post = desk.ledger.post

    for message, status, code in (
        ("Subject: Hello\r\n\r\nHow are you?", 400, "malformed"),
        (bounce(mail, named_by="nothing"), 400, "malformed"),
        (bounce(mail).replace(mail.notice_id, nobody), 404, "not_found"),
    ):
        answer = post("issuance", "/v1/notices/bounces", {"message": message}, key=desk.institution.api_key)
        checked_problem(answer, status, code)


def test_a_notice_is_sent_once_more_on_request_with_a_link_of_its_own(desk: Desk) -> None:
    email = desk.somebody()
    award = desk.award(email)
    notice = desk.wait_for_state(award["id"], "sent")

    path, key = f"/v1/notices/{notice['id']}/resend", desk.institution.api_key
    copy = desk.ledger.post("issuance", path, {}, key=key, idempotency_key="resend-once")
    same = desk.ledger.post("issuance", path, {}, key=key, idempotency_key="resend-once")

    first, second = desk.office.wait_for(email, 2)
    assert copy.json() == same.json()
    assert copy.json()["copy_of"] == notice["id"]
    assert second.notice_id == copy.json()["id"]
    assert first.link != second.link
    wait_until(lambda: len(desk.events("notice.sent", award["id"])) == 2, 10, "both are recorded")
    assert len(desk.office.to(email)) == 2


def test_an_institutions_own_words_are_previewed_checked_and_used(desk: Desk) -> None:
    ledger = desk.ledger
    institution = ledger.institution(f"words-{secrets.token_hex(3)}", name="Wörter & Co")
    own = Desk(ledger, desk.office, institution, ledger.achievement(institution))
    words = {"subject": "{achievement} ist da", "text": "{greeting}\n\nLos <b>geht's</b>: {link}\n\n{link}"}
    place, key = "/v1/notice-templates/awarded/de", institution.api_key

    bad = ledger.call("PUT", "issuance", place, {"subject": "{nonsense}", "text": "Oops { {learner}"}, key=key)
    problem = checked_problem(bad, 400, "malformed")
    assert [e["pointer"] for e in problem["errors"]] == ["/subject", "/text", "/text"]
    preview = ledger.post("issuance", "/v1/notice-templates/previews", {"kind": "awarded", "language": "de", **words},
                          key=key).json()  # fmt: skip
    assert preview["subject"] == "[TEST] Data Basics ist da"
    assert "Guten Tag Ada Example," in preview["text"]
    assert "&lt;b&gt;geht&#39;s&lt;/b&gt;" in preview["html"]
    assert ledger.call("PUT", "issuance", place, words, key=key).is_success
    texts = ledger.get("issuance", "/v1/notice-templates", key=key).json()
    assert [t["kind"] for t in texts["data"] if t["origin"] == "own"] == ["awarded"]
    assert len(texts["data"]) == 24

    email = own.somebody()
    own.award(email, learner={"language": "de"})
    assert str(desk.office.wait_for(email)[0].message["Subject"]) == "[TEST] Data Basics ist da"

    assert ledger.post("issuance", f"{place}/removal", {}, key=key).is_success
    other = own.somebody()
    own.award(other, learner={"language": "de"})
    assert "Ihr Nachweis" in str(desk.office.wait_for(other)[0].message["Subject"])


def test_the_list_shows_an_institution_its_own_notices_and_no_address(desk: Desk) -> None:
    emails = [desk.somebody() for _ in range(3)]
    awards = [desk.award(email)["id"] for email in emails]
    for award in awards:
        desk.wait_for_state(award, "sent")
    key = desk.institution.api_key

    page = desk.ledger.get("issuance", "/v1/notices?limit=2", key=key).json()
    rest = desk.ledger.get("issuance", f"/v1/notices?limit=2&cursor={page['next_cursor']}", key=key).json()

    assert [n["award_id"] for n in [*page["data"], *rest["data"]]][:3] == awards[::-1]
    assert not any(email in str([page, rest]) for email in emails)
    stranger = desk.ledger.institution(f"stranger-{secrets.token_hex(3)}")
    assert desk.ledger.get("issuance", "/v1/notices", key=stranger.api_key).json()["data"] == []


def test_the_metrics_count_notices(desk: Desk) -> None:
    text = desk.ledger.get("issuance", "/metrics").text

    assert 'notices_total{outcome="sent"}' in text
    assert "notices_due " in text


def test_a_notice_goes_out_within_two_seconds(desk: Desk) -> None:
    email = desk.somebody()
    award = desk.award(email)
    (mail,) = desk.office.wait_for(email)

    assert datetime.now(UTC) - mail.message["Date"].datetime < timedelta(seconds=10)
    assert award["position"] == desk.wait_for_state(award["id"], "sent")["position"]
