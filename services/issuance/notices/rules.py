"""What becomes of notices, and how an institution wants them: pure rules. ●

Rules. A notice has one outcome: sent, failed or bounced; a bounce may follow `sent`, and nothing follows a bounce.
The stream `learner/<pseudonym>/notices` holds the outcomes, `institution/<tenant>/notices` settings and texts.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from issuance.awards import Language
from issuance.notices.templates import SetTemplate, check, check_language
from issuance.notices.texts import Template
from ledger import errors, ids
from ledger.codec import Fact, Recorded, format_time, parse_time
from ledger.errors import FieldError
from ledger.events import (
    LearnerErased,
    NoticeBounced,
    NoticeFailed,
    NoticeOutcome,
    NoticeRequested,
    NoticeSent,
    NoticeSettingsSet,
    NoticeTemplateRemoved,
    NoticeTemplateSet,
)

LATE_AFTER = timedelta(days=3)  # what could not be sent for so long is no news any more
LINK_LIFE = timedelta(days=30)
RENEWAL_AHEAD = timedelta(days=30)


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One notice: whom it is for, about which award, why (the position of the event that caused it), from when on."""

    notice_id: str
    tenant: str
    pseudonym: str
    award_id: str
    kind: str
    cause: int
    not_before: datetime

    @property
    def stream(self) -> str:
        """Where its outcome is recorded."""
        return f"learner/{self.pseudonym}/notices"

    @property
    def link_until(self) -> datetime:
        """When its link ends."""
        return self.not_before + LINK_LIFE


class NoticeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether learners get notices, in which language where theirs is not known, and never before when (RFC 3339)."""

    enabled: bool = True
    language: Language = "en"
    not_before: datetime | None = None


def notice_id_for(kind: str, leaf: bytes) -> str:
    """The id of the notice that an event causes: the same whenever the log is read again."""
    return ids.text_id("ntc", hashlib.sha256(b"credledger/notice/v1\0" + kind.encode() + b"\0" + leaf).digest())


def outcome_of(history: Sequence[Recorded], notice_id: str) -> NoticeOutcome | None:
    """What became of a notice so far, None while it is to be sent."""
    found = None
    for recorded in history:
        event = recorded.event
        if isinstance(event, NoticeSent | NoticeFailed | NoticeBounced) and event.notice_id == notice_id:
            found = event
    return found


def sent(notice: Notice, history: Sequence[Recorded], *, address: str, at: datetime) -> list[Fact]:
    """The fact that the mail system has it; nothing when its outcome is known already. The address is sealed beside
    it: who opens the link proves this one, and a bounce is about this one."""
    if outcome_of(history, notice.notice_id) is not None:
        return []
    return [Fact(event=NoticeSent(**_named(notice)), at=at, subject=notice.pseudonym, personal={"email": address})]


def failed(
    notice: Notice, history: Sequence[Recorded], *, reason: str, smtp_code: int | None = None, at: datetime
) -> list[Fact]:
    """The fact that it will not be sent; nothing when its outcome is known already."""
    if outcome_of(history, notice.notice_id) is not None:
        return []
    event = NoticeFailed(**_named(notice), reason_code=reason, smtp_code=smtp_code)
    return [Fact(event=event, at=at, subject=notice.pseudonym)]


def bounced(
    notice: Notice, history: Sequence[Recorded], *, status: str, address: str | None, at: datetime
) -> list[Fact]:
    """The fact that the learner's address takes no mail; nothing when that is known of this notice."""
    if isinstance(outcome_of(history, notice.notice_id), NoticeBounced):
        return []
    event = NoticeBounced(**_named(notice), status=status)
    personal = {} if address is None else {"email": address}
    return [Fact(event=event, at=at, subject=notice.pseudonym, personal=personal)]


def requested(notice: Notice, learner_history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The wish to send it once more. Raises Gone when the learner's record was erased."""
    if any(isinstance(recorded.event, LearnerErased) for recorded in learner_history):
        raise errors.Gone("This learner's record was erased; nobody is left to write to.")
    return [Fact(event=NoticeRequested(**_named(notice)), at=at, subject=notice.pseudonym)]


def sent_in(history: Sequence[Recorded], notice_id: str) -> Recorded | None:
    """The fact that a notice was sent, which holds the address that it went to."""
    for recorded in history:
        if isinstance(recorded.event, NoticeSent) and recorded.event.notice_id == notice_id:
            return recorded
    return None


def settings_of(history: Sequence[Recorded]) -> NoticeSettings:
    """How an institution wants its notices; the defaults where it never said."""
    for recorded in reversed(history):
        event = recorded.event
        if isinstance(event, NoticeSettingsSet):
            return NoticeSettings(
                enabled=event.enabled,
                language=event.language,
                not_before=parse_time(event.not_before) if event.not_before else None,
            )
    return NoticeSettings()


def templates_of(history: Sequence[Recorded]) -> Mapping[tuple[str, str], Template]:
    """An institution's own texts, by kind and language."""
    own: dict[tuple[str, str], Template] = {}
    for recorded in history:
        match recorded.event:
            case NoticeTemplateSet() as event:
                own[event.kind, event.language] = Template(event.subject, event.text)
            case NoticeTemplateRemoved() as event:
                own.pop((event.kind, event.language), None)
    return own


def set_settings(wish: NoticeSettings, history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The settings from now on; nothing when they are so already. Raises Malformed."""
    if wish.not_before is not None and wish.not_before.tzinfo is None:
        where = [FieldError("/not_before", "the time needs a zone, such as Z")]
        raise errors.Malformed("The settings have fields that cannot be right.", errors=where)
    check_language(wish.language, "/language")
    if history and settings_of(history) == wish:
        return []
    until = format_time(wish.not_before) if wish.not_before else None
    return [Fact(event=NoticeSettingsSet(enabled=wish.enabled, language=wish.language, not_before=until), at=at)]


def set_template(
    kind: str, language: str, wish: SetTemplate, history: Sequence[Recorded], *, at: datetime
) -> list[Fact]:
    """An own text from now on; nothing when it reads so already. Raises Malformed."""
    template = Template(wish.subject, wish.text)
    check(template)
    if templates_of(history).get((kind, language)) == template:
        return []
    return [Fact(event=NoticeTemplateSet(kind=kind, language=language, subject=wish.subject, text=wish.text), at=at)]


def remove_template(kind: str, language: str, history: Sequence[Recorded], *, at: datetime) -> list[Fact]:
    """The built-in text again. Raises NotFound where there is no own one."""
    if (kind, language) not in templates_of(history):
        raise errors.NotFound("There is no own text of this kind in this language.")
    return [Fact(event=NoticeTemplateRemoved(kind=kind, language=language), at=at)]


def _named(notice: Notice) -> dict[str, str]:
    return {"notice_id": notice.notice_id, "award_id": notice.award_id, "kind": notice.kind}
