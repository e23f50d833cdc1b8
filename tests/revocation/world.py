"""The revocation service in this process, over a real database, with institutions and awards made as issuance would:
by appending its events in its role."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
from litestar import Litestar
from tests.conftest import Database
from tests.revocation.histories import award_fact

from ledger import ids
from ledger.access import ROLE_SCOPES, new_token, secret_hash
from ledger.codec import Actor, Fact, Recorded, format_time
from ledger.events import InstitutionCreated, IssuerKeyChanged, KeyCreated, StatusEntry
from ledger.keyring import Keyring
from ledger.keys import VaultKeys
from ledger.opening import open_ledger
from ledger.settings import Settings
from ledger.store import Store, Wish
from revocation.app import app
from revocation.lists.leases import LeaseRequest
from revocation.lists.leasing import Leasing

SECRET, PEPPER, KEK = b"s" * 32, b"p" * 32, b"k" * 32
PUBLIC_URL, STATUS_URL = "https://registry.ledger.example", "https://status.ledger.example"
NOBODY = "nats://127.0.0.1:1"
_numbers = itertools.count(1)


class Institution(msgspec.Struct, frozen=True):
    """An institution of a test: its id, DID and API key."""

    id: str
    did: str
    token: str


def settings_for(service: str, database_url: str, nats_url: str = NOBODY, credentials: Path | None = None) -> Settings:
    """Settings as the environment would give them."""
    return Settings(
        service=service,
        database_url=database_url,
        nats_url=nats_url,
        nats_credentials_file=credentials,
        public_url=PUBLIC_URL,
        status_url=STATUS_URL,
        host="127.0.0.1",
        port=0,
        server_secret=SECRET,
        pepper=PEPPER,
        kek=Keyring.single(KEK) if service == "issuance" else None,
        signing_kek=Keyring.single(KEK),
        operator_key=None,
        outbound_allow=(),
        demo_folder=None,
        log_level="error",
    )


async def eventually(fact: Callable[[], Awaitable[bool]], seconds: float, what: str) -> None:
    """Wait for a fact, asked again and again. Raises TimeoutError, naming it."""
    try:
        async with asyncio.timeout(seconds):
            while not await fact():  # noqa: ASYNC110 - the fact lies outside this process
                await asyncio.sleep(0.01)
    except TimeoutError as error:
        raise TimeoutError(f"not within {seconds} s: {what}") from error


@asynccontextmanager
async def lived(application: Litestar) -> AsyncIterator[None]:
    """The application's lifespan, in a task of its own: a fixture begins and ends in different ones."""
    began, over = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with application.lifespan():
            began.set()
            await over.wait()

    task = asyncio.get_running_loop().create_task(live())
    await began.wait()
    try:
        yield
    finally:
        over.set()
        await task


class World:
    """A ledger that was opened: issuance's store and keys, revocation's own store, and as many services as asked."""

    def __init__(self, issuance: Store, revocation: Store, database: Database) -> None:
        self.issuance, self.revocation, self.database = issuance, revocation, database
        self.keys = VaultKeys(issuance.pool, Keyring.single(KEK))
        self.leasing = Leasing(revocation, SECRET)

    async def institution(self, *, profile: str = "certified") -> Institution:
        """A new institution with its signing key and an API key."""
        number = next(_numbers)
        tenant = ids.text_id("inst", secrets.token_bytes(16))
        did = f"did:web:registry.ledger.example:issuers:i{number}"
        created = InstitutionCreated(
            slug=f"i{number}", did=did, name=f"I {number}", url="https://i.example", status_profile=profile
        )
        await self.append(f"institution/{tenant}", tenant, created, await self.new_key(tenant, did))
        key_id, secret = ids.text_id("key", secrets.token_bytes(16)), secrets.token_bytes(32)
        key = KeyCreated(
            key_id=key_id,
            name="test",
            role="institution",
            scopes=sorted(ROLE_SCOPES["institution"]),
            secret_hash=secret_hash(PEPPER, secret),
        )
        await self.append(f"access/{key_id}", tenant, key)
        return Institution(tenant, did, new_token(key_id, secret, live=True))

    async def new_key(self, tenant: str, did: str) -> IssuerKeyChanged:
        """A fresh Ed25519 key in the vault, and the event that adds it."""
        key_id = ids.text_id("key", secrets.token_bytes(16))
        public = await self.keys.create(tenant, key_id, "Ed25519")
        return IssuerKeyChanged(
            issuer=did,
            key_id=key_id,
            change="added",
            algorithm="Ed25519",
            public_key=public,
            effective=format_time(datetime.now(UTC)),
        )

    async def places(self, institution: Institution, count: int) -> list[list[StatusEntry]]:
        """Places for awards, leased; counters are taken as indices, which keeps tests readable."""
        lease = await self.leasing.grant(LeaseRequest(institution.id, "test", uuid4(), count))
        return [[StatusEntry(i, p, lease.first + n) for p, i in lease.lists.items()] for n in range(lease.count)]

    async def awards(self, institution: Institution, count: int) -> dict[str, list[StatusEntry]]:
        """New awards of an institution: id → places."""
        made = {ids.text_id("awd", secrets.token_bytes(16)): e for e in await self.places(institution, count)}
        await asyncio.gather(*(self.award(institution, award_id, entries) for award_id, entries in made.items()))
        return made

    async def award(
        self, institution: Institution, award_id: str, entries: list[StatusEntry], subject: str = ""
    ) -> None:
        """One award with these places."""
        fact = award_fact(entries, made=_now())
        fact = msgspec.structs.replace(fact, subject=subject or fact.subject)
        await self.append_facts(f"award/{award_id}", institution.id, [fact])

    async def events(self, institution: Institution, topic: str) -> list[Recorded]:
        """The institution's events of a topic (or of every topic that begins so), in order."""
        found, after = [], 0
        while batch := await self.revocation.read(after):
            found += [r for r in batch if r.tenant == institution.id and r.topic.startswith(topic)]
            after = batch[-1].position
        return found

    async def append(self, stream: str, tenant: str, *events: Any) -> tuple[Recorded, ...]:
        """Append events to a stream of issuance's."""
        return await self.append_facts(stream, tenant, [Fact(event=event, at=_now()) for event in events])

    async def append_facts(self, stream: str, tenant: str, facts: list[Fact]) -> tuple[Recorded, ...]:
        wish = Wish(tenant=tenant, command=uuid4(), actor=Actor(key="key_test", role="institution"))
        return (await self.issuance.decide(stream, lambda _: facts, wish=wish)).events

    @asynccontextmanager
    async def service(
        self, nats_url: str = NOBODY, credentials: Path | None = None
    ) -> AsyncIterator[httpx.AsyncClient]:
        """A process' worth of the service, ready: its application, spoken to over HTTP."""
        application = app(settings_for("revocation", self.database.revocation, nats_url, credentials))
        transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
        async with lived(application), httpx.AsyncClient(transport=transport, base_url="http://r") as client:

            async def ready() -> bool:
                return (await client.get("/readyz")).status_code == 200

            await eventually(ready, 10, "the service is ready")
            yield client


@asynccontextmanager
async def world(database: Database) -> AsyncIterator[World]:
    """A ledger that was opened, without any service running."""
    async with AsyncExitStack() as stack:
        stores = []
        for url in (database.issuance, database.revocation, database.registry):
            stores.append(await Store.open(url))
            stack.push_async_callback(stores[-1].close)
        await open_ledger(stores[2], settings_for("registry", database.registry))
        yield World(stores[0], stores[1], database)


def bearer(institution: Institution, key: str | None = None) -> dict[str, str]:
    """The headers of a request that changes something, with a fresh idempotency key unless one is given."""
    return {"authorization": f"Bearer {institution.token}", "idempotency-key": key or str(uuid4())}


def _now() -> datetime:
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
