"""The registry, wired: which handlers, which parts, which followers. No logic."""

import asyncio
from importlib import resources
from pathlib import Path

import msgspec
from litestar import Litestar

from ledger.access import AccessProjection, Keys, access_tables
from ledger.bus import Bus
from ledger.canonicaliser import Canonicaliser
from ledger.lifetime import Lifetime, Ready
from ledger.migrate import newest_revision, schema_revision
from ledger.opening import open_ledger
from ledger.outbound import Outbound
from ledger.projector import Projector
from ledger.settings import Settings
from ledger.store import Store
from ledger.vault import Documents
from ledger.web import Service, application
from registry import prose
from registry.achievements import Achievements
from registry.awards import Awards
from registry.http import achievements, awards, catalogue, credentials, demo, events, issuers, schemas, verify_page
from registry.http_verifications import VERIFICATION_HANDLERS
from registry.issuers import Issuers
from registry.knowledge import RegistryKnowledge
from registry.parts import Reads, Registry
from registry.projections import RegistryProjection
from registry.verification.addresses import Addresses
from registry.verification.verifier import Verifier

HANDLERS = [
    *catalogue.HANDLERS,
    *issuers.HANDLERS,
    *achievements.HANDLERS,
    *awards.HANDLERS,
    *credentials.HANDLERS,
    *verify_page.HANDLERS,
    *VERIFICATION_HANDLERS,
    *demo.HANDLERS,
    *events.HANDLERS,
    *schemas.HANDLERS,
]
TAGS = {
    "Issuers": "Who issues, and with which keys.",
    "Achievements": "What is awarded.",
    "Awards": "Public facts of awards.",
    "Credentials": "The awards themselves, for whoever brings their address.",
    "Verification": "Whether a credential holds, check by check.",
    "History": "The log, for who may read it.",
}


def app(settings: Settings) -> Litestar:
    """The service for these settings."""
    api_keys = Keys("registry", settings.pepper)

    async def work(ready: Ready[Registry]) -> None:
        await run(settings, api_keys, ready)

    lifetime = Lifetime("registry", work)
    return application(
        settings,
        Service(
            title="credledger registry",
            description="Who issues what, how every award stands, and whether a credential holds. Public to read.",
            handlers=HANDLERS,
            keys=api_keys,
            dependencies={"registry": lifetime.dependency()},
            lifespan=[lifetime.lifespan],
            ready={"parts": lifetime.check},
            folders=[Path(str(resources.files("registry")))],
            shared={"prose": prose.prose, "when": prose.when, "day": prose.day, "said": prose.said},
            tags=TAGS,
        ),
    )


async def run(settings: Settings, api_keys: Keys, ready: Ready[Registry]) -> None:
    """Open the parts, say so, and follow the log until cancelled or something breaks."""
    bus = await Bus.connect(settings, "registry")
    store = await Store.open(settings.database_url, hint=bus.hint)
    await bus.on_hint(lambda _: store.wake())
    try:
        await _check_schema(store)
        await open_ledger(store, settings)
        await store.pool.execute(resources.files("registry").joinpath("tables.sql").read_text())
        await store.pool.execute(access_tables("registry"))
        projectors = (
            Projector(RegistryProjection(), store, bus),
            Projector(AccessProjection("registry", api_keys), store, bus),
        )
        async with Canonicaliser() as canonicaliser, asyncio.TaskGroup() as group:
            parts = _parts(settings, store, bus, projectors, canonicaliser)
            api_keys.attach(store.pool, parts.caught_up)
            for projector in projectors:
                group.create_task(projector.run())
            ready(parts)
    finally:
        await bus.close()
        await store.close()


def _parts(
    settings: Settings, store: Store, bus: Bus, projectors: tuple[Projector, ...], canonicaliser: Canonicaliser
) -> Registry:
    reads = Reads(
        store=store,
        issuers=Issuers(store.pool),
        achievements=Achievements(store.pool, settings.public_url),
        awards=Awards(store.pool),
        documents=Documents(store.pool),
        projectors=projectors,
    )
    verifier = Verifier(
        RegistryKnowledge(reads, bus),
        Outbound(settings.outbound_allow),
        canonicaliser,
        Addresses(settings.public_url, settings.status_url),
        test=settings.test_mode,
    )
    return Registry(**msgspec.structs.asdict(reads), settings=settings, verifier=verifier)


async def _check_schema(store: Store) -> None:
    """Wait, by being restarted, while migrations have not run; never read under another release's schema."""
    found, wanted = await schema_revision(store.pool), newest_revision()
    if found != wanted:
        raise RuntimeError(f"the database is at schema {found}, this release wants {wanted}: run `credledger migrate`")
