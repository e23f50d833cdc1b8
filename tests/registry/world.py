"""A small ledger for tests of the registry: two invented institutions, an achievement, awards and their documents,
appended through the real store by the roles that own the streams."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from tests.conftest import Database

from ledger import access
from ledger.codec import Actor, Fact, Recorded, format_time
from ledger.events import (
    LEDGER_TENANT,
    AchievementPublished,
    Awarded,
    AwardRevoked,
    Event,
    InstitutionCreated,
    IssuerKeyChanged,
    KeyCreated,
    StatusEntry,
)
from ledger.proofs import LocalSigner, secure
from ledger.settings import Settings
from ledger.store import Store, Wish
from ledger.vault import Document, Documents
from ledger.vault.documents import Formats, Owner

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET, PEPPER = b"s" * 32, b"p" * 32
PUBLIC, STATUS = "http://localhost:8000", "http://localhost:8002"
NOVA, OAK = "inst_" + "n" * 26, "inst_" + "o" * 26
KEY_ED, KEY_P256 = "key_" + "e" * 26, "key_" + "p" * 26
ACHIEVEMENT = "ach_" + "a" * 26
AWARD = "awd_" + "w" * 26
WITHDRAWN = "awd_" + "r" * 26
LEARNER = "lrn_" + "l" * 26
CAPABILITY, REVOKED_CAPABILITY = "C" * 21 + "A", "R" * 21 + "A"
SIGNER = LocalSigner("Ed25519", b"k" * 32, f"did:web:localhost%3A8000:issuers:nova#{KEY_ED}")
JWT = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"


def settings(database: Database, nats_url: str = "nats://127.0.0.1:1", **environment: str) -> Settings:
    """The registry's settings for a test's database."""
    told = {
        "CREDLEDGER_DATABASE_URL": database.registry,
        "CREDLEDGER_NATS_URL": nats_url,
        "CREDLEDGER_SERVER_SECRET": SECRET.hex(),
        "CREDLEDGER_KEY_PEPPER": PEPPER.hex(),
    }
    return Settings.from_environment("registry", {**told, **environment})


def token(key_id: str) -> str:
    """The text of the key that `World.key` made."""
    return access.new_token(key_id, key_id[-1].encode() * 32, live=False)


def did(slug: str) -> str:
    return f"did:web:localhost%3A8000:issuers:{slug}"


def published(version: int = 1, name: str = "Cloud Basics", **details: object) -> AchievementPublished:
    """A version of the achievement; `details` are added to a type and a sector."""
    url = f"{PUBLIC}/achievements/{ACHIEVEMENT}/versions/{version}"
    document = {
        "id": url,
        "type": ["Achievement"],
        "name": name,
        "description": "Runs services in the cloud.",
        "criteria": {"narrative": "Passed **two** projects. <script>alert(1)</script>"},
        "image": {"id": f"{url}/image.png", "type": "Image", "caption": f"Digital badge in technology: {name}"},
        "tag": ["cloud"],
    }
    facts = {"credential_type": "digital_badge", "sector": "technology", "focus": "Cloud computing", **details}
    return AchievementPublished(achievement_version=version, document=document, details=facts)


def awarded(version: int = 1, valid_until: datetime | None = None) -> Awarded:
    return Awarded(
        achievement_id=ACHIEVEMENT,
        achievement_version=version,
        profile_version=3,
        keys=[KEY_ED, KEY_P256],
        issued=format_time(NOON),
        awarded_date=format_time(NOON),
        valid_from=format_time(NOON),
        valid_until=format_time(valid_until) if valid_until else None,
        status=[StatusEntry("sl_" + "s" * 26, "revocation", 7)],
    )


def revoked(award_id: str = AWARD) -> AwardRevoked:
    return AwardRevoked(
        award_id=award_id,
        reason_code="issued_in_error",
        effective=format_time(NOON),
        authority="Registrar",
        entries=[StatusEntry("sl_" + "s" * 26, "revocation", 7)],
    )


def credential(capability: str = CAPABILITY, name: str = "Ada Lovelace") -> dict[str, Any]:
    """The credential at a capability, unsigned."""
    return {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
        ],
        "id": f"{PUBLIC}/credentials/{capability}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Cloud Basics",
        "issuer": {"id": did("nova"), "type": ["Profile"], "name": "Nova"},
        "validFrom": format_time(NOON),
        "awardedDate": format_time(NOON),
        "credentialSubject": {
            "id": "urn:uuid:5c6a1c1e-0f3e-4b7e-9d53-3c2f6f3c9a10",
            "type": ["AchievementSubject"],
            "identifier": [{"type": "IdentityObject", "hashed": False, "identityHash": name, "identityType": "name"}],
            "achievement": published().document,
        },
    }


def signed(capability: str = CAPABILITY) -> str:
    """The credential with both embedded proofs, as it is kept."""
    return msgspec.json.encode(secure(credential(capability), SIGNER, NOON)).decode()


async def until(fact: Callable[[], Awaitable[bool]], what: str, seconds: float = 20) -> None:
    """Wait for a fact, looked at every 20 ms. Raises TimeoutError, naming it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not await fact():
        if loop.time() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what}")
        await asyncio.sleep(0.02)


class World:
    """Appends facts. Each call is one command; `open` and `close` frame it."""

    def __init__(self, issuance: Store, revocation: Store, database: Database) -> None:
        self.issuance, self.revocation = issuance, revocation
        self._registry = database.registry
        self._numbers = itertools.count(1)

    @classmethod
    async def open(cls, database: Database) -> "World":
        return cls(await Store.open(database.issuance), await Store.open(database.revocation), database)

    async def close(self) -> None:
        await self.issuance.close()
        await self.revocation.close()

    async def append(self, stream: str, *events: Event, tenant: str = NOVA, subject: str | None = None) -> Recorded:
        """Append the events as one command; the last one as recorded."""
        wish = Wish(tenant=tenant, command=UUID(int=next(self._numbers)), actor=Actor(key="key_x", role="institution"))
        facts = [Fact(event=event, at=NOON, subject=subject) for event in events]
        store = self.revocation if stream.startswith(("standing/", "list/", "lease/")) else self.issuance
        decision = await store.decide(stream, lambda _: facts, wish=wish)
        return decision.events[-1]

    async def institution(self, tenant: str = NOVA, slug: str = "nova", name: str = "Nova") -> Recorded:
        """An institution with both its keys."""
        created = InstitutionCreated(slug=slug, did=did(slug), name=name, url=f"https://{slug}.example", demo=True)
        keys = [
            IssuerKeyChanged(
                issuer=did(slug),
                key_id=key_id.replace("_", f"_{slug[0]}", 1)[:30] if tenant != NOVA else key_id,
                change="added",
                algorithm=algorithm,
                public_key=LocalSigner(algorithm, b"k" * 32, "").public_key,
                effective=format_time(NOON),
            )
            for key_id, algorithm in ((KEY_ED, "Ed25519"), (KEY_P256, "P-256"))
        ]
        return await self.append(f"institution/{tenant}", created, *keys, tenant=tenant)

    async def achievement(self, version: int = 1, **details: object) -> Recorded:
        return await self.append(f"achievement/{ACHIEVEMENT}", published(version, **details))

    async def award(self, award_id: str = AWARD, valid_until: datetime | None = None) -> Recorded:
        """An award, without its document."""
        return await self.append(f"award/{award_id}", awarded(valid_until=valid_until), subject=LEARNER)

    async def document(self, award_id: str = AWARD, capability: str = CAPABILITY) -> None:
        """What issuance keeps once it has signed."""
        await self.issuance.pool.execute(
            "INSERT INTO vault.data_keys VALUES ($1, $2, 1, '') ON CONFLICT DO NOTHING", NOVA, LEARNER
        )
        position = (await self.issuance.load(f"award/{award_id}"))[-1].position
        owner, formats = Owner(NOVA, LEARNER, award_id, position), Formats(vc=signed(capability), jwt=JWT)
        await Documents(self.issuance.pool).keep(Document(owner, capability, credential(capability), formats))

    async def key(self, letter: str, role: str, tenant: str = LEDGER_TENANT) -> str:
        """An API key of this role; its text."""
        key_id = "key_" + letter * 26
        secret = access.secret_hash(PEPPER, letter.encode() * 32)
        made = KeyCreated(
            key_id=key_id, name="a key", role=role, scopes=access.scopes_for(role, None), secret_hash=secret
        )
        await self.append(f"access/{key_id}", made, tenant=tenant)
        return token(key_id)

    async def all(self) -> None:
        """Nova with an achievement and an award that has its document."""
        await self.institution()
        await self.achievement()
        await self.award()
        await self.document()

    async def tell(self) -> None:
        """A story: Nova with two versions of an achievement, an award that stands and one that was revoked, Oak, and
        a key of each role (o operator, a auditor, n of Nova, k of Oak)."""
        await self.all()
        await self.award(WITHDRAWN)
        await self.document(WITHDRAWN, REVOKED_CAPABILITY)
        await self.append(f"standing/{WITHDRAWN}", revoked(WITHDRAWN))
        await self.achievement(2, workload_hours={"min": "65", "max": "260"}, price=PRICE)
        await self.institution(OAK, "oak", "Oak")
        await self.key("o", "operator")
        await self.key("a", "auditor")
        await self.key("n", "institution", NOVA)
        await self.key("k", "institution", OAK)

    async def settled(self) -> None:
        """Wait until the registry's tables have seen everything."""
        head = await self.issuance.head()
        connection = await asyncpg.connect(self._registry)

        async def seen() -> bool:
            position: int = await connection.fetchval(SEEN)
            return position >= head

        try:
            await until(seen, f"the registry has seen position {head}")
        finally:
            await connection.close()


PRICE = {"min": "100", "max": "2000", "currency": "USD"}
SEEN = "SELECT CASE count(*) WHEN 2 THEN min(position) ELSE -1 END FROM registry.positions"
