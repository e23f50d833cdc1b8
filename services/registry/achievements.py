"""Achievements as anyone may read them: every version with its document, and the lists of the catalogue."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from ledger import ids

VERSIONS_SHOWN = 200


class IssuerNamed(msgspec.Struct, frozen=True):
    """Who stands behind something, in a line."""

    id: str
    slug: str
    name: str
    did: str
    demo: bool
    active: bool

    @property
    def is_sandbox(self) -> bool:
        return ids.is_sandbox(self.id)


class Version(msgspec.Struct, frozen=True):
    """One version of an achievement: when it was recorded, and whether it may still be awarded."""

    version: int
    position: int
    recorded_at: datetime
    withdrawn: str | None


class Achievement(msgspec.Struct, frozen=True, kw_only=True):
    """A version of an achievement. `document` is the Open Badges 3.0 Achievement of every credential of this version;
    `details` holds what Open Badges has no place for; `withdrawn` is the reason's code, where it was."""

    id: str
    version: int
    url: str
    image: str
    name: str
    credential_type: str | None
    sector: str | None
    focus: str | None
    issuer: IssuerNamed
    document: dict[str, Any]
    details: dict[str, Any]
    position: int
    recorded_at: datetime
    withdrawn: str | None
    image_sha256: str | None
    image_media_type: str | None
    versions: tuple[Version, ...] = ()


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which achievements: those of an issuer (id), of a type, a sector, or with a text in them. None: all but those of
    sandboxes, which are found by their issuer alone."""

    issuer: str | None = None
    credential_type: str | None = None
    sector: str | None = None
    text: str | None = None


class Facet(msgspec.Struct, frozen=True):
    """How many achievements share a type, a sector and an issuer."""

    credential_type: str | None
    sector: str | None
    issuer_slug: str
    issuer_name: str
    count: int


class Achievements:
    """Reads the projection. `public_url` begins the addresses in the answers."""

    def __init__(self, pool: asyncpg.Pool, public_url: str) -> None:
        self._pool, self._public_url = pool, public_url

    async def one(self, achievement_id: str, version: int | None = None) -> Achievement | None:
        """A version of an achievement with the list of all; the newest where none is named."""
        row = await self._pool.fetchrow(ONE, achievement_id, version)
        if row is None:
            return None
        versions = await self._pool.fetch(VERSIONS, achievement_id, VERSIONS_SHOWN)
        return self._achievement(row, tuple(Version(**v) for v in versions))

    async def read_page(self, wanted: Wanted, before: int | None, limit: int) -> list[Achievement]:
        """Up to `limit` achievements, each by its newest version, newest first, recorded before a position."""
        text = f"%{_escaped(wanted.text.casefold())}%" if wanted.text else None
        row = (before, wanted.issuer, wanted.credential_type, wanted.sector, text, limit)
        return [self._achievement(r, ()) for r in await self._pool.fetch(PAGE, *row)]

    async def of_issuer(self, institution_id: str, limit: int) -> list[Achievement]:
        """The newest achievements of one issuer."""
        return await self.read_page(Wanted(issuer=institution_id), None, limit)

    async def facets(self) -> list[Facet]:
        """How many achievements, by their newest versions, there are of each type, sector and issuer."""
        return [Facet(**row) for row in await self._pool.fetch(FACETS)]

    async def image(self, sha256: str) -> bytes | None:
        """An image as it was uploaded."""
        content: bytes | None = await self._pool.fetchval("SELECT content FROM vault.images WHERE sha256 = $1", sha256)
        return content

    def _achievement(self, row: Mapping[str, Any], versions: tuple[Version, ...]) -> Achievement:
        own = {name: row[name] for name in OWN}
        url = f"{self._public_url}/achievements/{row['id']}/versions/{row['version']}"
        return Achievement(
            **own,
            url=url,
            image=f"{url}/image.{'png' if row['image_media_type'] == 'image/png' else 'svg'}",
            issuer=IssuerNamed(*(row[f"issuer_{name}"] for name in IssuerNamed.__struct_fields__)),
            document=msgspec.json.decode(row["document"]),
            details=msgspec.json.decode(row["details"]),
            versions=versions,
        )


def _escaped(text: str) -> str:
    """A text that stands for itself in LIKE."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


OWN = (
    "id",
    "version",
    "name",
    "credential_type",
    "sector",
    "focus",
    "position",
    "recorded_at",
    "withdrawn",
    "image_sha256",
    "image_media_type",
)
COLUMNS = """
SELECT a.achievement_id AS id, a.achievement_version AS version, a.name, a.credential_type, a.sector, a.focus,
  a.document, a.details, a.position, a.recorded_at, a.withdrawn, a.image_sha256, a.image_media_type,
  i.institution_id AS issuer_id, i.slug AS issuer_slug, i.name AS issuer_name, i.did AS issuer_did,
  i.demo AS issuer_demo, i.active AS issuer_active
FROM registry.achievements a JOIN registry.institutions i USING (institution_id)
"""
ONE = f"""{COLUMNS}
WHERE achievement_id = $1 AND ($2::int IS NULL OR achievement_version = $2) ORDER BY achievement_version DESC LIMIT 1
"""
VERSIONS = """
SELECT achievement_version AS version, position, recorded_at, withdrawn FROM registry.achievements
WHERE achievement_id = $1 ORDER BY achievement_version DESC LIMIT $2
"""
FACETS = """
SELECT a.credential_type, a.sector, i.slug AS issuer_slug, i.name AS issuer_name, count(*) AS count
FROM registry.achievements a JOIN registry.institutions i USING (institution_id)
WHERE NOT starts_with(a.institution_id, 'test_') AND NOT EXISTS (SELECT FROM registry.achievements n
                  WHERE n.achievement_id = a.achievement_id AND n.achievement_version > a.achievement_version)
GROUP BY 1, 2, 3, 4 ORDER BY 4
"""
PAGE = f"""{COLUMNS}
WHERE ($1::bigint IS NULL OR a.position < $1)
  AND (($2::text IS NULL AND NOT starts_with(a.institution_id, 'test_')) OR a.institution_id = $2)
  AND ($3::text IS NULL OR a.credential_type = $3) AND ($4::text IS NULL OR a.sector = $4)
  AND ($5::text IS NULL OR a.searched LIKE $5)
  AND NOT EXISTS (SELECT FROM registry.achievements n
                  WHERE n.achievement_id = a.achievement_id AND n.achievement_version > a.achievement_version)
ORDER BY a.position DESC LIMIT $6
"""
