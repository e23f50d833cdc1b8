"""`/`: the catalogue. What institutions of this ledger award, and beside it, cited, what the founding article names."""

from collections import Counter
from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from ledger import ids
from ledger.credentials.taxonomy import ASSESSMENT_METHODS, CREDENTIAL_TYPES, SECTORS
from ledger.web import Pages, public
from registry import founding
from registry.achievements import Achievement, Facet, Wanted
from registry.elements import Overview, overview_of
from registry.founding import CitedFact
from registry.http.achievements import issuer_id
from registry.http.answers import AnyRequest, page_answer
from registry.parts import Registry

SHOWN = 60


class Choice(msgspec.Struct, frozen=True):
    """A value of a facet: how it reads, how many cards it leaves, whether it is chosen."""

    value: str
    label: str
    count: int
    chosen: bool


class Card(msgspec.Struct, frozen=True):
    """An achievement of this ledger as a card."""

    achievement: Achievement
    overview: Overview


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """What the visitor asks for; empty texts ask for everything."""

    kind: str
    sector: str
    provider: str
    text: str

    def takes(self, fact: CitedFact) -> bool:
        """Whether a cited fact is asked for."""
        words = " ".join(filter(None, [fact.title, fact.provider, fact.focus, fact.label])).casefold()
        return (
            self.kind in ("", fact.credential_type)
            and self.sector in ("", fact.sector)
            and self.provider in ("", fact.provider)
            and self.text.casefold() in words
        )


@get("/", include_in_schema=False, opt=public(cross_origin=False))
async def start(
    request: AnyRequest,
    registry: NamedDependency[Registry],
    pages: NamedDependency[Pages],
    type_: Annotated[str, QueryParameter(name="type", max_length=100)] = "",
    sector: Annotated[str, QueryParameter(max_length=100)] = "",
    provider: Annotated[str, QueryParameter(max_length=200)] = "",
    q: Annotated[str, QueryParameter(max_length=200)] = "",
) -> Response[bytes]:
    """The catalogue with its facets."""
    chosen = Chosen(kind=type_, sector=sector, provider=provider, text=q.strip())
    issuer = await issuer_id(registry, provider or None)
    wanted = Wanted(
        issuer="" if ids.is_sandbox(issuer) else issuer,  # nothing of a sandbox stands here
        credential_type=type_ or None,
        sector=sector or None,
        text=chosen.text or None,
    )
    found = await registry.achievements.read_page(wanted, None, SHOWN + 1)
    facets = await registry.achievements.facets()
    return page_answer(
        request,
        pages,
        "catalogue.html",
        chosen=chosen,
        cards=[Card(one, overview_of(one.details)) for one in found[:SHOWN]],
        more=len(found) > SHOWN,
        cited=[fact for fact in founding.CITED if chosen.takes(fact)],
        types=_types(facets, chosen),
        sectors=_sectors(facets, chosen),
        providers=_providers(facets, chosen),
        type_facts=CREDENTIAL_TYPES,
        methods=list(ASSESSMENT_METHODS.values()),
        sector_facts=SECTORS,
        founding=founding,
    )


def _types(facets: list[Facet], chosen: Chosen) -> list[Choice]:
    counts: Counter[str | None] = Counter()
    for one in facets:
        counts[one.credential_type] += one.count
    counts.update(fact.credential_type for fact in founding.CITED)
    return [Choice(tag, facts.label, counts[tag], chosen.kind == tag) for tag, facts in CREDENTIAL_TYPES.items() if tag]


def _sectors(facets: list[Facet], chosen: Chosen) -> list[Choice]:
    counts: Counter[str | None] = Counter()
    for one in facets:
        counts[one.sector] += one.count
    counts.update(fact.sector for fact in founding.CITED)
    return [Choice(tag, facts.label, counts[tag], chosen.sector == tag) for tag, facts in SECTORS.items() if tag]


def _providers(facets: list[Facet], chosen: Chosen) -> list[Choice]:
    here: Counter[tuple[str, str]] = Counter()
    for one in facets:
        here[one.issuer_slug, one.issuer_name] += one.count
    named = Counter(fact.provider for fact in founding.CITED if fact.provider)
    return [
        *(Choice(slug, name, count, chosen.provider == slug) for (slug, name), count in here.items()),
        *(Choice(name, f"{name} (cited)", count, chosen.provider == name) for name, count in named.items()),
    ]


HANDLERS = [start]
