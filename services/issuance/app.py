"""Issuance, wired: which handlers, which parts, which followers. No logic."""

import asyncio
from importlib import resources
from pathlib import Path

from litestar import Litestar

from issuance import (
    approving,
    compromises,
    erasing,
    learner_records,
    operators,
    reapplying,
    reissuing,
    rotations,
    sealing,
)
from issuance.documents import Addresses
from issuance.erasure_list import ErasureList
from issuance.http import (
    achievements,
    approvals,
    awards,
    ceremonies,
    claims,
    institution_life,
    institutions,
    jobs,
    key_encryption,
    keys,
    learners,
    mail,
    mappings,
    notice_texts,
    notices,
    oauth,
    results,
    sandboxes,
    signing_keys,
    xapi,
)
from issuance.jobs.engine import Engine
from issuance.jobs.records import Records
from issuance.key_encryption import KeyEncryption, KeyFigures
from issuance.leases import Leases
from issuance.notices.composing import Composing
from issuance.notices.figures import NoticeFigures
from issuance.notices.outbox import Outbox
from issuance.notices.sending import Sending
from issuance.notices.transport import Folder, Smtp, Transport
from issuance.parts import Issuance, now
from issuance.projections import OwnEvents
from issuance.signing import Signing
from issuance.traffic import Traffic
from ledger.access import AccessProjection, Keys, Tokens, access_tables
from ledger.approvals import ApprovalProjection, Approvals, approval_tables
from ledger.bus import Bus
from ledger.connected import connected
from ledger.health import Figures, checks
from ledger.keys import signing_keys_for
from ledger.lifetime import Lifetime, Ready
from ledger.opening import opened
from ledger.outbound import Outbound
from ledger.projector import Projection, Projector
from ledger.relay import Relay
from ledger.settings import MailSettings, Settings, SettingsError
from ledger.store import Store
from ledger.tables import lay_out
from ledger.vault import Vault
from ledger.vault.rewrapping import data_ring, signing_ring
from ledger.web import Service, application

HANDLERS = [
    *institutions.HANDLERS,
    *institution_life.HANDLERS,
    *keys.HANDLERS,
    *oauth.HANDLERS,
    *sandboxes.HANDLERS,
    *achievements.HANDLERS,
    *awards.HANDLERS,
    *approvals.HANDLERS,
    *learners.HANDLERS,
    *results.HANDLERS,
    *mappings.HANDLERS,
    *xapi.HANDLERS,
    *key_encryption.HANDLERS,
    *jobs.HANDLERS,
    *notices.HANDLERS,
    *notice_texts.HANDLERS,
    *claims.HANDLERS,
    *mail.HANDLERS,
    *signing_keys.HANDLERS,
    *ceremonies.HANDLERS,
]

TAGS = {
    "Institutions": "Take institutions in, and what becomes of them; the operator's.",
    "Profile and signing keys": "What stands in credentials as their issuer, and what signs them.",
    "API keys": "Who may call, and what for; and the short tokens that stand for a key.",
    "Sandbox": "A tenant beside each institution, where things are tried out and everything says TEST.",
    "Achievements": "What can be awarded, in versions that never change.",
    "Awards": "Award a learner; the signed credential comes back.",
    "Results": "Record what learners achieved, before or without an award.",
    "Mappings": "Read what Moodle, Canvas and OneRoster export, and xAPI statements.",
    "xAPI": "Take statements of learning record providers.",
    "Approvals": "Awards that wait for a second key, where the institution wants that.",
    "Learners": "One's own record of a learner: read it, change it, erase it.",
    "Key encryption": "Epochs of the keys that seal the vault; the operator's.",
    "Jobs": "Send many wishes as one list: checked first, then carried out row by row.",
    "Notices": "What learners are told by mail, and what became of it.",
    "Notice texts": "Whether, when and in which words learners are told.",
}


def app(settings: Settings) -> Litestar:
    """The service for these settings."""
    api_keys = Keys("issuance", settings.pepper, Tokens(settings.server_secret, settings.public_url))

    async def work(ready: Ready[Issuance]) -> None:
        await run(settings, api_keys, ready)

    lifetime = Lifetime("issuance", work)
    return application(
        settings,
        Service(
            title="credledger issuance",
            description="Institutions define achievements and award them to learners.",
            tags=TAGS,
            handlers=HANDLERS,
            keys=api_keys,
            dependencies={"issuance": lifetime.dependency()},
            lifespan=[lifetime.lifespan],
            ready=checks(lifetime, relays=True),
            collectors=[
                Figures(lifetime),
                KeyFigures(lambda: lifetime.parts.key_encryption.figures),
                NoticeFigures(lifetime),
            ],
            folders=[Path(str(resources.files("issuance")))],
        ),
    )


async def run(settings: Settings, api_keys: Keys, ready: Ready[Issuance]) -> None:
    """Open the parts, say so, and follow the log until cancelled or something breaks."""
    async with connected(settings) as (bus, store):
        await opened(store, settings)
        await lay_out(store.pool, "issuance", access_tables("issuance"), approval_tables("issuance"))
        parts = _parts(settings, api_keys, bus, store)
        try:
            await operators.enrol(parts)
            await sealing.serve(bus, store, parts.vault)
            engine = Engine(parts, parts.records)
            async with asyncio.TaskGroup() as group:
                for projector in parts.projectors:
                    group.create_task(projector.run())
                group.create_task(parts.relay.run())
                group.create_task(parts.signing.sweep())
                group.create_task(erasing.sweep(parts))
                group.create_task(learner_records.sweep(parts))
                group.create_task(compromises.sweep(parts))
                group.create_task(approving.sweep(parts))
                group.create_task(parts.key_encryption.run())
                group.create_task(rotations.sweep(parts))
                group.create_task(reissuing.sweep(parts))
                await reapplying.at_start(parts)
                group.create_task(engine.run())
                group.create_task(engine.sweep())
                group.create_task(parts.sending.run())
                ready(parts)
        finally:
            await parts.leases.close()


def _parts(settings: Settings, api_keys: Keys, bus: Bus, store: Store) -> Issuance:
    if settings.kek is None or settings.signing_kek is None or settings.mail is None:
        raise SettingsError("issuance needs CREDLEDGER_KEK and CREDLEDGER_SIGNING_KEK")
    vault = Vault(store.pool, kek=settings.kek, secret=settings.server_secret)
    store.use_sealer(vault)
    addresses = Addresses(settings.public_url, settings.status_url, settings.test_mode)
    private_keys = signing_keys_for(store.pool, settings.signing_kek, settings.pkcs11)
    projections: tuple[Projection, ...] = (
        OwnEvents(),
        Outbox(),
        AccessProjection("issuance", api_keys),
        ApprovalProjection("issuance", "award"),
    )
    mail, secret = settings.mail, settings.server_secret
    composing = Composing(store, vault, addresses, secret=secret, claim_url=mail.claim_url)
    parts = Issuance(
        settings=settings,
        store=store,
        bus=bus,
        vault=vault,
        keys=private_keys,
        key_encryption=KeyEncryption(store, settings, [data_ring(settings.kek), signing_ring(settings.signing_kek)]),
        erasures=ErasureList(settings.erasure_list),
        api_keys=api_keys,
        tokens=Tokens(settings.server_secret, settings.public_url),
        leases=Leases(bus, settings.server_secret, settings.lease_places),
        signing=Signing(store, vault, private_keys, addresses),
        addresses=addresses,
        outbound=Outbound(settings.outbound_allow),
        approvals=Approvals(store, "issuance", "award"),
        projectors=tuple(Projector(projection, store, bus) for projection in projections),
        relay=Relay(store, bus, settings),
        records=Records(store.pool, vault),
        traffic=Traffic(),
        composing=composing,
        sending=Sending(store, composing, _transport(mail), mail, secret, now),
    )
    api_keys.attach(store.pool, parts.caught_up)
    return parts


def _transport(mail: MailSettings) -> Transport | None:
    """Where mails go: the SMTP server, else the folder, else nowhere."""
    if mail.smtp_url is not None:
        return Smtp(mail.smtp_url)
    return None if mail.folder is None else Folder(mail.folder)
