"""The registry, wired: which handlers, which parts, which followers. No logic."""

import asyncio
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import msgspec
from litestar import Litestar

from ledger.access import AccessProjection, Keys, Tokens, access_tables
from ledger.bus import Bus
from ledger.canonicaliser import Canonicaliser
from ledger.connected import connected
from ledger.health import Figures, checks
from ledger.lifetime import Lifetime, Ready
from ledger.opening import open_ledger
from ledger.projector import Projection, Projector
from ledger.settings import Settings
from ledger.store import Store
from ledger.tables import lay_out
from ledger.vault import Documents
from ledger.web import Service, application
from registry import prose
from registry.achievements import Achievements
from registry.awards import Awards
from registry.http import (
    achievements,
    awards,
    catalogue,
    credentials,
    demo,
    events,
    issuers,
    policy,
    schemas,
    verify_page,
)
from registry.http_verifications import VERIFICATION_HANDLERS
from registry.issuers import Issuers
from registry.knowledge import RegistryKnowledge
from registry.parts import Reads, Registry
from registry.policy import state_policy
from registry.projections import RegistryProjection
from registry.verification.verifier import verifier_for

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
    *policy.HANDLERS,
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
    api_keys = Keys("registry", settings.pepper, Tokens(settings.server_secret, settings.public_url))

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
            ready=checks(lifetime),
            collectors=[Figures(lifetime)],
            folders=[Path(str(resources.files("registry")))],
            shared={"prose": prose.prose, "when": prose.when, "day": prose.day, "said": prose.said},
            tags=TAGS,
        ),
    )


async def run(settings: Settings, api_keys: Keys, ready: Ready[Registry]) -> None:
    """Open the parts, say so, and follow the log until cancelled or something breaks."""
    async with connected(settings) as (bus, store), Canonicaliser() as canonicaliser:
        await open_ledger(store, settings)
        await state_policy(store, settings)
        await lay_out(store.pool, "registry", access_tables("registry"))
        reads = _reads(settings, store, (RegistryProjection(), AccessProjection("registry", api_keys)), bus)
        api_keys.attach(store.pool, reads.caught_up)
        verifier = verifier_for(settings, RegistryKnowledge(reads, bus), canonicaliser)
        async with asyncio.TaskGroup() as group:
            for projector in reads.projectors:
                group.create_task(projector.run())
            ready(Registry(**msgspec.structs.asdict(reads), settings=settings, bus=bus, verifier=verifier))


def _reads(settings: Settings, store: Store, projections: Sequence[Projection], bus: Bus) -> Reads:
    return Reads(
        store=store,
        issuers=Issuers(store.pool),
        achievements=Achievements(store.pool, settings.public_url),
        awards=Awards(store.pool),
        documents=Documents(store.pool),
        projectors=tuple(Projector(projection, store, bus) for projection in projections),
    )
