"""Facts about notices to learners, and what learners themselves decided. Categories `learner`, `award` and
`institution` (issuance): notices on `learner/<pseudonym>/notices`, an institution's texts on
`institution/<tenant>/notices`."""

from typing import ClassVar

from ledger.events.base import Event


class NoticeOutcome(Event, frozen=True, kw_only=True):
    """What became of one notice: which one, about which award, of which kind (awarded, corrected, renewal, suspended,
    reinstated, revoked)."""

    notice_id: str
    award_id: str
    kind: str


class NoticeSent(NoticeOutcome, frozen=True, kw_only=True):
    """A notice was taken over by the mail system (SMTP 250), or written to the mail folder."""

    TOPIC: ClassVar[str] = "notice.sent"


class NoticeFailed(NoticeOutcome, frozen=True, kw_only=True):
    """A notice will not be sent: `no_address`, `address_bounced`, `refused` (by the mail system) or `demo`.
    `smtp_code` is what the mail system answered."""

    TOPIC: ClassVar[str] = "notice.failed"

    reason_code: str
    smtp_code: int | None = None


class NoticeBounced(NoticeOutcome, frozen=True, kw_only=True):
    """The learner's address does not take mail; `status` is the enhanced code (RFC 3463). The address is sealed beside
    it (`email`): it is not mailed again."""

    TOPIC: ClassVar[str] = "notice.bounced"

    status: str


class NoticeRequested(NoticeOutcome, frozen=True, kw_only=True):
    """The institution wants a notice sent once more, as a new one; `notice_id` is the earlier one."""

    TOPIC: ClassVar[str] = "notice.requested"


class NoticeSettingsSet(Event, frozen=True, kw_only=True):
    """How an institution's notices go from now on: whether, in which language by default, never before when."""

    TOPIC: ClassVar[str] = "institution.notice_settings_set"

    enabled: bool = True
    language: str = "en"
    not_before: str | None = None


class NoticeTemplateSet(Event, frozen=True, kw_only=True):
    """An institution's own text for a kind of notice in a language, with placeholders in braces."""

    TOPIC: ClassVar[str] = "institution.notice_template_set"

    kind: str
    language: str
    subject: str
    text: str


class NoticeTemplateRemoved(Event, frozen=True, kw_only=True):
    """The built-in text serves again."""

    TOPIC: ClassVar[str] = "institution.notice_template_removed"

    kind: str
    language: str


class EmailProven(Event, frozen=True, kw_only=True):
    """Whoever reads the learner's mail opened a claim link and said so; the address is sealed beside it (`email`)."""

    TOPIC: ClassVar[str] = "learner.email_proven"

    notice_id: str


class LearnerJoined(Event, frozen=True, kw_only=True):
    """The learner said that this record belongs to a person; records with the same `person` are one learner's."""

    TOPIC: ClassVar[str] = "learner.joined"
    PRIVATE: ClassVar[frozenset[str]] = frozenset({"person"})

    person: str = ""


class PublicationSet(Event, frozen=True, kw_only=True):
    """The learner said who may see the award's page: `hidden` nobody, `unlisted` whoever has its address, `public`
    search engines too."""

    TOPIC: ClassVar[str] = "award.publication_set"

    visibility: str


EVENTS: tuple[type[Event], ...] = (
    NoticeSent,
    NoticeFailed,
    NoticeBounced,
    NoticeRequested,
    NoticeSettingsSet,
    NoticeTemplateSet,
    NoticeTemplateRemoved,
    EmailProven,
    LearnerJoined,
    PublicationSet,
)
