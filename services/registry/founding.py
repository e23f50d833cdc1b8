"""What the founding article says about microcredentials of others: cited facts for the catalogue, nothing of ours.

Rules. Only what the article states; a cell that it leaves empty is None and reads "the source does not say". Real names
appear as such facts only: no logo, no claim of partnership, nothing signed for them. ● Pure.
"""

from typing import Final

import msgspec

from ledger.credentials.taxonomy import SECTORS

SOURCE: Final = "founding article"
SILENT: Final = "the source does not say"
SHORT: Final = "4–6 weeks, 2–3 hours per week"
LONG: Final = "3–6 months, 5–10 hours per week"


class CitedFact(msgspec.Struct, frozen=True, kw_only=True):
    """One microcredential as the article's tables name it. `credential_type` and `sector` are our tags, only where the
    article's words decide them; `label` is the provider's own word for the kind; `focus` keeps the article's words."""

    name: str | None = None
    provider: str | None = None
    focus: str
    label: str | None = None
    duration: str | None = None
    credential_type: str | None = None
    sector: str | None = None

    @property
    def title(self) -> str:
        """What stands above its card."""
        return self.name or f"{self.label} in {self.focus}"


# The table of technology microcredentials. Its first row has no provider, and the prose does not give one.
NAMED: Final = (
    CitedFact(
        name="IT Support Professional Certificate",
        focus="IT Support",
        label="Professional Certificate",
        duration="3-6 months",
        credential_type="professional_certificate",
        sector="technology",
    ),
    CitedFact(
        name="Azure Fundamentals",
        provider="Microsoft",
        focus="Cloud Computing",
        duration="4-6 weeks",
        sector="technology",
    ),
    CitedFact(
        name="Data Science Professional Certificate",
        provider="IBM",
        focus="Data Science",
        label="Professional Certificate",
        duration="3-6 months",
        credential_type="professional_certificate",
        sector="technology",
    ),
)


class Platform(msgspec.Struct, frozen=True):
    """A row of the table of platforms: what it specialises in and which kinds it awards, in the article's words."""

    name: str
    specialisations: tuple[str, ...]
    kinds: tuple[str, ...]


PLATFORMS: Final = (
    Platform("Coursera", ("Data Science", "Business"), ("Specializations", "Professional Certificates")),
    Platform("edX", ("Computer Science", "Engineering"), ("MicroMasters", "Professional Certificates")),
    Platform("Udacity", ("AI", "Programming"), ("Nanodegrees",)),
    Platform("LinkedIn Learning", ("Business", "Creative"), ("Certificates of Completion",)),
    Platform("FutureLearn", ("Healthcare", "Teaching"), ("Microcredentials",)),
)
# Kinds that the article itself puts under one of our types, and specialisations that are a sector of its own list.
_TYPES: Final = {"Professional Certificates": "professional_certificate", "Nanodegrees": "nanodegree"}
_SECTORS: Final = {
    "Business": "business_and_finance",
    "Healthcare": "healthcare",
    "Teaching": "education",
    "Creative": "creative_fields",
    "AI": "technology",
}

OFFERED: Final = tuple(
    CitedFact(
        provider=platform.name,
        focus=focus,
        label=kind,
        credential_type=_TYPES.get(kind),
        sector=_SECTORS.get(focus),
    )
    for platform in PLATFORMS
    for focus in platform.specialisations
    for kind in platform.kinds
)
CITED: Final = NAMED + OFFERED

COMPARISON: Final = (
    ("Duration", "Weeks to months", "2–4 years or more"),
    ("Focus", "Specific skills", "Broad knowledge base"),
    ("Flexibility", "High", "Limited"),
    ("Cost", "Generally lower: $100 – $2,000", "Often higher: $10,000 – $200,000+"),
    ("Recognition", "Industry-specific", "Widely recognized"),
    ("Stackability", "Can be combined", "Stand-alone"),
)


def provider_names() -> list[str]:
    """Every provider that the facts name, in the article's order."""
    return list(dict.fromkeys(fact.provider for fact in CITED if fact.provider))


def sector_label(sector: str | None) -> str | None:
    """A sector's label, None for none or for a tag that is not the taxonomy's."""
    return SECTORS[sector].label if sector in SECTORS else None
