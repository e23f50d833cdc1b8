"""From a row of the outbox to the mail: opens the award's values, finds the address, fills in the text. ○"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from issuance.claims.tokens import claim_token
from issuance.documents import Addresses
from issuance.institutions import Institution, existing
from issuance.notices import rules, templates
from issuance.notices.letters import Letter
from issuance.notices.rules import Notice, NoticeSettings
from issuance.notices.templates import Filling
from issuance.notices.texts import Template
from ledger.codec import Recorded, parse_time
from ledger.events import AchievementPublished, DocumentIssued, NoticeBounced
from ledger.store import Store
from ledger.vault import Vault


class Opened(msgspec.Struct, frozen=True):
    """A learner's award with what is personal: the newest event that has a document, its values, and the address that
    notices go to."""

    recorded: Recorded
    personal: dict[str, Any]
    address: str | None


class Desk(msgspec.Struct, frozen=True):
    """An institution with its settings and own texts."""

    institution: Institution
    settings: NoticeSettings
    texts: Mapping[tuple[str, str], Template]


class Composing:
    """Opens and fills in."""

    def __init__(self, store: Store, vault: Vault, addresses: Addresses, *, secret: bytes, claim_url: str) -> None:
        self._store, self._vault, self._addresses = store, vault, addresses
        self._secret, self._claim_url = secret, claim_url

    async def opened(self, notice: Notice) -> Opened:
        """What the notice is about. Raises Erased."""
        return await self.award(notice.award_id, notice.pseudonym)

    async def award(self, award_id: str, pseudonym: str) -> Opened:
        """A learner's award as it is documented now. Raises Erased."""
        history = await self._store.load(f"award/{award_id}")
        recorded = next(r for r in reversed(history) if isinstance(r.event, DocumentIssued))
        personal = await self._vault.open(recorded)
        own = await self._learners_own(pseudonym)
        return Opened(recorded, personal, address_in(personal if own is None else own))

    async def takes_mail(self, notice: Notice, address: str) -> bool:
        """Whether no mail to this address came back."""
        rows = await self._store.pool.fetch(BOUNCES, notice.tenant, notice.pseudonym)
        for row in rows:
            recorded = await self._store.at(row["position"])
            if isinstance(recorded.event, NoticeBounced) and (await self._vault.open(recorded)).get("email") == address:
                return False
        return True

    async def desk(self, tenant: str) -> Desk:
        """Who notices come from, as it is called now, and how it wants them."""
        history = await self._store.load(f"institution/{tenant}/notices")
        return Desk(
            existing(await self._store.load(f"institution/{tenant}")),
            rules.settings_of(history),
            rules.templates_of(history),
        )

    async def letter(self, notice: Notice, opened: Opened, desk: Desk, *, at: datetime) -> Letter:
        """The mail's content, in the learner's language as far as there are texts in it."""
        institution, wanted = desk.institution, opened.personal.get("language")
        language, template = templates.chosen(notice.kind, wanted, desk.settings.language, desk.texts)
        event = documented(opened.recorded)
        filling = Filling(
            learner=opened.personal.get("name"),
            achievement=await self._achievement_name(event),
            institution=institution.name,
            contact=institution.email or institution.url,
            date=await self._date(notice, event),
            link=f"{self._claim_url}/claims/{claim_token(self._secret, notice.notice_id)}",
            link_until=notice.link_until,
            renew_by=parse_time(event.renew_by) if event.renew_by else None,
        )
        return Letter(
            notice_id=notice.notice_id,
            recipient=opened.address or "",
            template=template,
            language=language,
            filling=filling,
            reply_to=institution.email,
            test=self._addresses.is_test(notice.tenant),
            demo=institution.demo,
            at=at,
        )

    async def _achievement_name(self, event: DocumentIssued) -> str:
        history = await self._store.load_cached(f"achievement/{event.achievement_id}")
        if not any(r.version >= event.achievement_version for r in history):
            history = await self._store.load_cached(f"achievement/{event.achievement_id}", fresh=True)
        for recorded in history:
            published = recorded.event
            if (
                isinstance(published, AchievementPublished)
                and published.achievement_version == event.achievement_version
            ):
                return str(published.document["name"])
        raise LookupError("an award names a version that the log does not hold")

    async def _date(self, notice: Notice, event: DocumentIssued) -> datetime:
        if notice.kind == "awarded":
            return parse_time(event.awarded_date)
        return (await self._store.at(notice.cause)).at

    async def _learners_own(self, pseudonym: str) -> dict[str, Any] | None:
        """What the institution said last of the learner himself, apart from his awards; None where it never did."""
        for recorded in reversed(await self._store.load(f"learner/{pseudonym}")):
            if any(item["n"] == "identifiers" for item in recorded.envelope["pd"]):
                return await self._vault.open(recorded)
        return None


def documented(recorded: Recorded) -> DocumentIssued:
    """The event that a document follows from."""
    if not isinstance(recorded.event, DocumentIssued):
        raise TypeError("only awards and corrections have documents")
    return recorded.event


def address_in(personal: Mapping[str, Any]) -> str | None:
    """The e-mail address among the values of an award or of a learner."""
    if (email := personal.get("email")) is not None:
        return str(email)
    named = [*([personal["identity"]] if "identity" in personal else []), *personal.get("identifiers", [])]
    return next((str(one["value"]) for one in named if one["kind"] == "email"), None)


BOUNCES = "SELECT position FROM issuance.bounces WHERE tenant = $1 AND pseudonym = $2"
