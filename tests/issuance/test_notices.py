"""The rules of notices: texts, letters, outcomes, reports of mails that came back, the link."""

from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.issuance.histories import NOON, placed

from issuance.awards import Language
from issuance.claims import rules as claim_rules
from issuance.claims import tokens
from issuance.claims.tokens import Session
from issuance.claims.words import LANGUAGES, page_language, words_in
from issuance.notices import rules, templates
from issuance.notices.bounces import Returned, returned
from issuance.notices.letters import Letter, Sender, message_for
from issuance.notices.rules import Notice, NoticeSettings
from issuance.notices.templates import PLACEHOLDERS, Filling, SetTemplate
from issuance.notices.texts import BUILT_IN, KINDS, Template
from ledger import errors
from ledger.codec import Fact
from ledger.events import LearnerErased, NoticeBounced, NoticeSent
from ledger.settings import Settings, SettingsError

SECRET = bytes(range(32))
NOTICE_ID = "ntc_aaaaaaaaaaaaaaaaaaaaaaaaaa"
PSEUDONYM = "lrn_cccccccccccccccccccccccccc"
NOTICE = Notice(
    notice_id=NOTICE_ID, tenant="inst_a", pseudonym=PSEUDONYM, award_id="awd_a", kind="awarded", cause=7,
    not_before=NOON,
)  # fmt: skip
FILLING = Filling(
    learner="Ada Lovelace",
    achievement="Data & Basics",
    institution="Nova University",
    contact="badges@nova.example",
    date=NOON,
    link="https://issue.example/claims/TOKEN",
    link_until=NOON + timedelta(days=30),
    renew_by=NOON + timedelta(days=365),
)


def letter(**fields: object) -> Letter:
    whole = Letter(
        notice_id=NOTICE_ID, recipient="ada@learner.example", template=BUILT_IN["en"]["awarded"], language="en",
        filling=FILLING, reply_to="badges@nova.example", test=False, demo=False, at=NOON,
    )  # fmt: skip
    return msgspec.structs.replace(whole, **fields)


def mail(**fields: object) -> EmailMessage:
    raw = message_for(letter(**fields), Sender("notices@ledger.example")).as_bytes(policy=policy.SMTP)
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


@pytest.mark.parametrize("language", BUILT_IN)
@pytest.mark.parametrize("kind", KINDS)
def test_every_built_in_text_passes_the_check_that_institutions_texts_pass(language: str, kind: str) -> None:
    template = BUILT_IN[language][kind]

    templates.check(template)
    for text in (template.subject, template.text):
        assert "{" not in templates.filled(text, FILLING, language)
    assert len(templates.filled(template.subject, FILLING, language)) < 90


def test_a_notice_speaks_the_learners_language_then_the_institutions_then_english() -> None:
    own = {("awarded", "it"): Template("È arrivato", "{link}")}

    assert templates.chosen("awarded", "it", "fr", own) == ("it", own["awarded", "it"])
    assert templates.chosen("awarded", "de-CH", "fr", {})[0] == "de"
    assert templates.chosen("revoked", "it", "fr", own) == ("fr", BUILT_IN["fr"]["revoked"])
    assert templates.chosen("awarded", None, "pl", {}) == ("en", BUILT_IN["en"]["awarded"])


def test_each_fault_of_a_text_is_named_where_it_is() -> None:
    with pytest.raises(errors.Malformed) as refused:
        templates.check(Template("{name} {link}", "{ {{achievement}} {Greeting}"))

    assert [(e.pointer, e.detail.partition(":")[0].partition(";")[0]) for e in refused.value.errors] == [
        ("/subject", "there is no placeholder {name}"),
        ("/text", "a brace stands alone"),
        ("/text", "{link} is needed"),
        ("/subject", "{link} belongs into the text"),
    ]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_whatever_a_learner_is_called_is_text_and_never_markup_or_a_placeholder(name: str) -> None:
    called = " ".join(f"x{name}".split())
    filling = msgspec.structs.replace(FILLING, learner=f"x{name}")

    assert templates.filled("{learner}|{link}", filling, "en") == f"{called}|{FILLING.link}"
    assert templates.filled("{greeting}", filling, "en") == f"Hello {called},"


def test_a_letter_has_the_headers_that_a_notice_needs() -> None:
    message = mail()

    assert dict(message.items()) | {"Content-Type": "", "MIME-Version": ""} == {
        "Message-ID": f"<{NOTICE_ID}@ledger.example>",
        "Date": "Sun, 01 Mar 2026 12:00:00 +0000",
        "From": "Nova University <notices@ledger.example>",
        "To": "ada@learner.example",
        "Reply-To": "badges@nova.example",
        "Subject": "Your credential “Data & Basics” from Nova University",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "en",
        "Content-Type": "",
        "MIME-Version": "",
    }
    assert message.get_content_type() == "multipart/alternative"
    html = message.get_body(("html",))
    assert html is not None
    assert "Data &amp; Basics" in html.get_content()
    assert f'<a href="{FILLING.link}"' in html.get_content()
    assert "<img" not in html.get_content()


def test_a_letter_cannot_be_made_to_carry_a_header_of_somebody_else() -> None:
    evil = msgspec.structs.replace(FILLING, institution="Nova\r\nBcc: all@example.org", achievement="A\nB: c")

    message = mail(filling=evil)

    assert message["Bcc"] is None
    assert message["B"] is None
    assert message["Subject"] == "Your credential “A B: c” from Nova Bcc: all@example.org"


def test_test_and_demo_are_said_in_the_letter() -> None:
    message = mail(test=True, demo=True)
    body = message.get_body(("plain",))

    assert str(message["Subject"]).startswith("[TEST] ")
    assert body is not None
    assert body.get_content().startswith("TEST: sent by a test ledger, or from an institution's sandbox.")
    assert "DEMO: an invented institution." in body.get_content()


def test_a_repeat_is_the_same_message_and_its_return_path_names_the_notice() -> None:
    assert mail()["Message-ID"] == mail(at=NOON + timedelta(days=1))["Message-ID"]
    assert Sender("notices@ledger.example").return_path(NOTICE_ID) == f"notices+{NOTICE_ID}@ledger.example"


def test_a_notice_has_one_outcome_and_only_a_bounce_follows_it() -> None:
    sent = rules.sent(NOTICE, [], address="ada@learner.example", at=NOON)
    history = placed(NOTICE.stream, sent)

    assert sent[0].event == NoticeSent(notice_id=NOTICE_ID, award_id="awd_a", kind="awarded")
    assert sent[0].personal == {"email": "ada@learner.example"}
    assert rules.sent(NOTICE, history, address="ada@learner.example", at=NOON) == []
    assert rules.failed(NOTICE, history, reason="refused", at=NOON) == []
    back = rules.bounced(NOTICE, history, status="5.1.1", address="ada@learner.example", at=NOON)
    assert isinstance(back[0].event, NoticeBounced)
    history = placed(NOTICE.stream, back, history)
    assert rules.bounced(NOTICE, history, status="5.1.1", address=None, at=NOON) == []
    assert rules.sent_in(history, NOTICE_ID) == history[0]
    assert "ada@" not in history[1].state.decode("utf-8", "replace")


def test_settings_and_texts_are_what_was_said_last() -> None:
    stream, wish = "institution/inst_a/notices", NoticeSettings(language="de", not_before=NOON)
    history = placed(stream, rules.set_settings(wish, [], at=NOON))
    text = SetTemplate(subject="Da", text="{link}")
    history = placed(stream, rules.set_template("awarded", "de", text, history, at=NOON), history)

    assert rules.settings_of(history) == wish
    assert rules.settings_of([]) == NoticeSettings()
    assert rules.set_settings(wish, history, at=NOON) == []
    assert rules.set_template("awarded", "de", text, history, at=NOON) == []
    assert rules.templates_of(history) == {("awarded", "de"): Template("Da", "{link}")}
    history = placed(stream, rules.remove_template("awarded", "de", history, at=NOON), history)
    assert rules.templates_of(history) == {}
    with pytest.raises(errors.NotFound):
        rules.remove_template("awarded", "de", history, at=NOON)


def test_a_time_without_a_zone_or_a_language_nobody_knows_is_refused() -> None:
    for wish, pointer in (
        (NoticeSettings(not_before=datetime(2026, 1, 1)), "/not_before"),  # noqa: DTZ001 - the point
        (NoticeSettings(language="xx"), "/language"),
    ):
        with pytest.raises(errors.Malformed) as refused:
            rules.set_settings(wish, [], at=NOON)
        assert [e.pointer for e in refused.value.errors] == [pointer]
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert("DE_de", Language)


REPORT = """\
Return-Path: <>
To: {to}
Subject: Undeliverable
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

It did not work.
--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
{envelope}
Final-Recipient: rfc822; ada@learner.example
Action: {action}
Status: {status}

--B
Content-Type: {kind}

Message-ID: {message_id}
Subject: Your credential

--B--
"""


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, Returned(NOTICE_ID, True, "5.1.1")),
        ({"kind": "message/rfc822"}, Returned(NOTICE_ID, True, "5.1.1")),
        ({"message_id": "<none@x>", "to": f"notices+{NOTICE_ID}@ledger.example"}, Returned(NOTICE_ID, True, "5.1.1")),
        ({"message_id": "<none@x>", "envelope": f"Original-Envelope-Id: {NOTICE_ID}\n"},
         Returned(NOTICE_ID, True, "5.1.1")),
        ({"action": "delayed", "status": "4.4.7 (timeout)"}, Returned(NOTICE_ID, False, "4.4.7")),
        ({"action": "Failed", "status": "nonsense"}, Returned(NOTICE_ID, True, "5.0.0")),
        ({"action": "delivered", "status": "2.0.0"}, Returned(NOTICE_ID, False, "2.0.0")),
    ],
)  # fmt: skip
def test_a_report_names_its_notice_by_any_of_its_traces(fields: dict[str, str], found: Returned) -> None:
    usual = {
        "to": "notices@ledger.example", "envelope": "", "action": "failed", "status": "5.1.1",
        "kind": "text/rfc822-headers", "message_id": f"<{NOTICE_ID}@ledger.example>",
    }  # fmt: skip

    assert returned(REPORT.format_map({**usual, **fields})) == found


@given(st.text(max_size=300))
def test_whatever_is_handed_in_as_a_report_is_a_report_or_malformed(text: str) -> None:
    with pytest.raises(errors.Malformed):
        returned(text)


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=1, max_size=40))
def test_a_link_is_its_own_notice_and_no_other_text_is_a_link(raw: bytes, other: bytes) -> None:
    notice_id = tokens.ids.text_id("ntc", raw)
    token = tokens.claim_token(SECRET, notice_id)

    assert tokens.notice_of(SECRET, token) == notice_id
    assert len(token) == 43
    assert tokens.notice_of(bytes(32), token) is None
    text = tokens._text(other)
    assert text == token or tokens.notice_of(SECRET, text) is None
    for place in range(43):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert tokens.notice_of(SECRET, changed) is None


def test_a_form_belongs_to_its_page_its_purpose_and_its_day() -> None:
    token = tokens.form_token(SECRET, NOTICE_ID, "publication", "abc", NOON)

    assert tokens.is_form_token(SECRET, NOTICE_ID, "publication", token, NOON)
    assert not tokens.is_form_token(SECRET, NOTICE_ID, "joining", token, NOON)
    assert not tokens.is_form_token(SECRET, "ntc_" + "b" * 26, "publication", token, NOON)
    assert not tokens.is_form_token(SECRET, NOTICE_ID, "publication", token, NOON + tokens.FORM_LIFE)
    for bad in ("", "..", "1.2.3", token + "x", "٣.a.b"):
        assert not tokens.is_form_token(SECRET, NOTICE_ID, "publication", bad, NOON)


def test_a_cookie_remembers_the_notices_of_this_browser_for_two_hours() -> None:
    session = Session().with_notice(NOTICE_ID, NOON).with_notice("ntc_b", NOON)
    cookie = tokens.session_cookie(SECRET, session)

    assert tokens.session_of(SECRET, cookie, NOON).notices == ("ntc_b", NOTICE_ID)
    assert tokens.session_of(SECRET, cookie, NOON + tokens.SESSION_LIFE) == Session()
    assert tokens.session_of(bytes(32), cookie, NOON) == Session()
    for bad in ("", ".", "a.b", cookie[:-1], "x" + cookie, "ü.ü"):
        assert tokens.session_of(SECRET, bad, NOON) == Session()


def test_an_erased_record_proves_and_joins_nothing() -> None:
    history = placed(f"learner/{PSEUDONYM}", [Fact(event=LearnerErased(reason_code="x"), at=NOON, subject=PSEUDONYM)])

    with pytest.raises(errors.Gone):
        claim_rules.prove(NOTICE_ID, "a@b.example", history, known=False, pseudonym=PSEUDONYM, at=NOON)
    with pytest.raises(errors.Gone):
        claim_rules.join("per_a", history, pseudonym=PSEUDONYM, at=NOON)


def test_only_a_proven_record_is_joined_and_only_once() -> None:
    stream = f"learner/{PSEUDONYM}"
    with pytest.raises(errors.Refused):
        claim_rules.join("per_a", [], pseudonym=PSEUDONYM, at=NOON)

    proof = claim_rules.prove(NOTICE_ID, "a@b.example", [], known=False, pseudonym=PSEUDONYM, at=NOON)
    history = placed(stream, proof)
    history = placed(stream, claim_rules.join("per_a", history, pseudonym=PSEUDONYM, at=NOON), history)

    assert claim_rules.person_of(history) == "per_a"
    assert claim_rules.join("per_a", history, pseudonym=PSEUDONYM, at=NOON) == []
    assert claim_rules.prove(NOTICE_ID, "a@b.example", history, known=True, pseudonym=PSEUDONYM, at=NOON) == []
    assert "a@b.example" not in history[0].state.decode("utf-8", "replace")


def test_the_page_is_unlisted_until_its_learner_says_otherwise() -> None:
    assert claim_rules.visibility_of([]) == "unlisted"
    assert claim_rules.publish("unlisted", [], pseudonym=PSEUDONYM, at=NOON) == []
    history = placed("award/awd_a", claim_rules.publish("public", [], pseudonym=PSEUDONYM, at=NOON))
    assert claim_rules.visibility_of(history) == "public"


def test_the_page_says_everything_in_each_language() -> None:
    english = words_in("en")
    for language in LANGUAGES:
        words = words_in(language)
        assert all(words.values())
        assert {n: t.count("{}") for n, t in words.items()} == {n: t.count("{}") for n, t in english.items()}
    assert page_language("de-AT", "fr") == "de"
    assert page_language("it", "fr") == "fr"
    assert page_language(None, "pl") == "en"


def test_every_placeholder_is_explained_and_filled_in() -> None:
    for name in PLACEHOLDERS:
        assert templates.filled(f"{{{name}}}", FILLING, "en") != f"{{{name}}}"


BASE = {f"CREDLEDGER_{n}": "00" * 32 for n in ("SERVER_SECRET", "KEY_PEPPER", "KEK", "SIGNING_KEK")} | {
    "CREDLEDGER_DATABASE_URL": "postgresql://nowhere"
}


def test_mail_settings_come_with_defaults_that_work_on_one_machine(tmp_path: Path) -> None:
    file = tmp_path / "smtp"
    file.write_text("smtps://user:pass@mail.example\n")

    plain = Settings.from_environment("issuance", BASE).mail
    full = Settings.from_environment("issuance", {**BASE, "CREDLEDGER_SMTP_URL_FILE": str(file)}).mail

    assert plain is not None
    assert (plain.smtp_url, plain.sender, plain.claim_url) == (None, "notices@localhost", "http://localhost:8001")
    assert full is not None
    assert full.smtp_url == "smtps://user:pass@mail.example"
    assert Settings.from_environment("registry", {**BASE, "CREDLEDGER_SMTP_URL_FILE": str(file)}).mail is None


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("SMTP_URL", "http://mail.example", "CREDLEDGER_SMTP_URL"),
        ("SMTP_URL", "smtp://", "CREDLEDGER_SMTP_URL"),
        ("MAIL_FROM", "nobody", "CREDLEDGER_MAIL_FROM"),
        ("MAIL_FROM", "a+b@ledger.example", "CREDLEDGER_MAIL_FROM"),
        ("MAIL_PER_SECOND", "0", "CREDLEDGER_MAIL_PER_SECOND"),
    ],
)
def test_a_mail_setting_that_cannot_be_right_is_named(setting: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        Settings.from_environment("issuance", {**BASE, f"CREDLEDGER_{setting}": value})


def test_real_mail_needs_a_real_address_for_its_links() -> None:
    real = {
        "CREDLEDGER_PUBLIC_URL": "https://ledger.example", "CREDLEDGER_STATUS_URL": "https://status.example",
        "CREDLEDGER_SMTP_URL": "smtp://mail.example",
    }  # fmt: skip
    with pytest.raises(SettingsError, match="CREDLEDGER_CLAIM_URL"):
        Settings.from_environment("issuance", {**BASE, **real})
    good = Settings.from_environment("issuance", {**BASE, **real, "CREDLEDGER_CLAIM_URL": "https://issue.example/"})
    assert good.mail is not None
    assert good.mail.claim_url == "https://issue.example"
    assert good.mail.sender == "notices@ledger.example"
