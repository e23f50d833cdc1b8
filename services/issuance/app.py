"""Issuance, wired: which handlers, which parts, which followers. No logic."""

import asyncio
from importlib import resources

from ledger.bus import Bus
from ledger.projector import Projector
from ledger.relay import Relay
from litestar import Litestar

from issuance import erasing, operators, sealing
from issuance.documents import Addresses
from issuance.http import achievements, awards, institutions, keys, learners
from issuance.leases import Leases
from issuance.parts import Issuance
from issuance.projections import OwnEvents
from issuance.signing import Signing
from ledger.access import AccessProjection, Keys, access_tables
from ledger.keys import VaultKeys
from ledger.lifetime import Lifetime, Ready
from ledger.migrate import newest_revision, schema_revision
from ledger.opening import opened
from ledger.settings import Settings
from ledger.store import Store
from ledger.vault import Vault
from ledger.web import Service, application

HANDLERS = [
    *institutions.HANDLERS,
    *keys.HANDLERS,
    *achievements.HANDLERS,
    *awards.HANDLERS,
    *learners.HANDLERS,
]


def app(settings: Settings) -> Litestar:
    """The service for these settings."""
    api_keys = Keys("issuance", settings.pepper)

    async def work(ready: Ready[Issuance]) -> None:
        await run(settings, api_keys, ready)

    lifetime = Lifetime("issuance", work)
    return application(
        settings,
        Service(
            title="credledger issuance",
            description="Institutions define achievements and award them to learners.",
            handlers=HANDLERS,
            keys=api_keys,
            dependencies={"issuance": lifetime.dependency()},
            lifespan=[lifetime.lifespan],
            ready={"parts": lifetime.check},
        ),
    )


async def run(settings: Settings, api_keys: Keys, ready: Ready[Issuance]) -> None:
    """Open the parts, say so, and follow the log until cancelled or something breaks."""
    if settings.kek is None or settings.signing_kek is None:
        raise RuntimeError("issuance needs its key-encryption keys")
    bus = await Bus.connect(settings, "issuance")
    store = await Store.open(settings.database_url, hint=bus.hint)
    vault = Vault(store.pool, kek=settings.kek, secret=settings.server_secret)
    store.use_sealer(vault)
    leases = Leases(bus, settings.server_secret)
    try:
        await _check_schema(store)
        await opened(store, settings)
        await store.pool.execute(resources.files("issuance").joinpath("tables.sql").read_text())
        await store.pool.execute(access_tables("issuance"))
        addresses = Addresses(settings.public_url, settings.status_url, settings.test_mode)
        signing_keys = VaultKeys(store.pool, settings.signing_kek)
        projectors = (
            Projector(OwnEvents(), store, bus),
            Projector(AccessProjection("issuance", api_keys), store, bus),
        )
        parts = Issuance(
            settings=settings,
            store=store,
            vault=vault,
            keys=signing_keys,
            leases=leases,
            signing=Signing(store, vault, signing_keys, addresses),
            addresses=addresses,
            projectors=projectors,
        )
        api_keys.attach(store.pool, parts.caught_up)
        await operators.enrol(parts)
        await sealing.serve(bus, vault)
        async with asyncio.TaskGroup() as group:
            for projector in projectors:
                group.create_task(projector.run())
            group.create_task(Relay(store, bus, settings).run())
            group.create_task(parts.signing.sweep())
            group.create_task(erasing.sweep(parts))
            ready(parts)
    finally:
        await leases.close()
        await bus.close()
        await store.close()


async def _check_schema(store: Store) -> None:
    """Refuse to write under another release's schema; wait while migrations have not run."""
    found, wanted = await schema_revision(store.pool), newest_revision()
    if found != wanted:
        raise RuntimeError(f"the database is at schema {found}, this release wants {wanted}: run `credledger migrate`")
