"""`/credentials/{credential_id}`: the award itself, for whoever brings its unguessable URL.

Every format lies sealed in the vault and is opened by the capability in the URL alone. The path is a key: it stands in
no log, no title and no link that leaves the page. What was just awarded is found: on a miss the handler waits, up to a
second, for the log to be seen here and the document to be there.
"""

import asyncio
import re
import time
from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from ledger.errors import NotFound
from ledger.vault import Opened
from ledger.web import NotAcceptable, Pages, conditional, public
from registry.achievements import Achievement
from registry.awards import HIDDEN, PUBLIC, Award
from registry.credential_view import credential_view
from registry.elements import overview_of
from registry.endorsements import endorsements_of
from registry.http.answers import HTML, JSON, LD_JSON, AnyRequest, about, described, kind_wanted, page_answer
from registry.parts import CATCH_UP_SECONDS, Registry
from registry.pictures import MEDIA_TYPES, baked
from registry.verdicts import shown

VC = "application/vc"
VC_JWT = "application/vc+jwt"
CAPABILITY = re.compile(r"[A-Za-z0-9_-]{22}")
SUFFIXES = {"json": JSON, "jwt": VC_JWT, **MEDIA_TYPES}
LOOK_AGAIN_SECONDS = 0.05
RECENT_EVENTS = 1000
KEPT = {"cache-control": "private, no-cache", "vary": "Accept", "x-robots-tag": "noindex"}
INDEXED = {name: value for name, value in KEPT.items() if name != "x-robots-tag"}
GONE = "There is no such credential here, or no longer."
CLOSED = "Whoever this credential was awarded to has closed this address."


@get("/credentials/{name:str}", operation_id="readCredential", opt=public(errors=[NotFound, NotAcceptable]),
     tags=["Credentials"], responses=described(dict[str, Any], "The credential.", VC))  # fmt: skip
async def read_credential(
    request: AnyRequest, name: FromPath[str], registry: NamedDependency[Registry], pages: NamedDependency[Pages]
) -> Response[bytes]:
    """A credential by its address, as `application/vc` (also for `*/*`), `application/ld+json`, `application/json`,
    `application/vc+jwt` or a page, by `Accept`; or by suffix: `.json`, `.jwt`, and baked into its picture `.png`,
    `.svg`."""
    capability, dot, suffix = name.partition(".")
    if CAPABILITY.fullmatch(capability) is None or (dot and suffix not in SUFFIXES):
        raise NotFound(GONE)
    kind = SUFFIXES[suffix] if dot else kind_wanted(request, VC, LD_JSON, JSON, VC_JWT, HTML)
    opened = await open_document(registry, capability)
    visibility = await registry.awards.visibility(opened.award_id)
    if visibility == HIDDEN:
        raise NotFound(CLOSED)
    about(request, (await registry.found(lambda: registry.awards.one(opened.award_id), "award")).institution_id,
          document=True)  # fmt: skip
    if kind == HTML:
        return await _page(request, registry, pages, capability, opened, indexed=visibility == PUBLIC)
    content = await _content(registry, opened, kind)
    return conditional(request, content, media_type=kind, headers=KEPT)


async def open_document(registry: Registry, capability: str) -> Opened:
    """The document, now or as soon as it is there. Raises NotFound after a second at the latest."""
    deadline = time.monotonic() + CATCH_UP_SECONDS
    opened = await registry.documents.open(capability)
    if opened is None:
        await registry.caught_up()
        opened = await registry.documents.open(capability)
    while opened is None and time.monotonic() < deadline:
        # Only an award whose document is still being signed is worth waiting for; what never was is told at once.
        if not await registry.awards.unsigned_since(await registry.store.head() - RECENT_EVENTS):
            break
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        opened = await registry.documents.open(capability)
    if opened is None:
        raise NotFound(GONE)
    return opened


async def _content(registry: Registry, opened: Opened, kind: str) -> bytes:
    if kind == VC_JWT:
        return opened.formats.jwt.encode()
    if kind not in MEDIA_TYPES.values():
        return opened.formats.vc.encode()
    form = "png" if kind == MEDIA_TYPES["png"] else "svg"
    _, achievement = await _awarded(registry, opened)
    return await baked(registry.achievements, achievement, form, opened.formats.vc)


async def _page(
    request: AnyRequest, registry: Registry, pages: Pages, capability: str, opened: Opened, *, indexed: bool
) -> Response[bytes]:
    document = msgspec.json.decode(opened.formats.vc)
    # First, since it waits for our tables: then they know whether this credential was replaced.
    verdict = shown(await registry.verifier.verify_document(document))
    award, achievement = await _awarded(registry, opened)
    return page_answer(
        request,
        pages,
        "credential.html",
        headers=INDEXED if indexed else KEPT,
        indexed=indexed,
        view=credential_view(document),
        award=award,
        achievement=achievement,
        overview=overview_of(achievement.details),
        endorsements=endorsements_of(achievement.document, achievement.details),
        verdict=verdict,
        replaced=award.replacement(opened.position),
        credential_path=f"/credentials/{capability}",
    )


async def _awarded(registry: Registry, opened: Opened) -> tuple[Award, Achievement]:
    award = await registry.found(lambda: registry.awards.one(opened.award_id), "award")
    achievement = await registry.achievements.one(award.achievement_id, award.achievement_version)
    if achievement is None:
        raise LookupError("an award names a version that the log does not hold")
    return award, achievement


HANDLERS = [read_credential]
