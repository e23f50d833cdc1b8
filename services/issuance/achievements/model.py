"""The wish to publish an achievement: every Open Badges 3.0 Achievement field, the elements of a European
microcredential (Council Recommendation 2022/C 243/02, annex I), and the catalogue's facts, all bounded.

Names are snake_case. Numbers that count (credits, ECTS, prices) come as decimal strings or JSON numbers with at most
two places and are decimal strings from here on. Texts hold no control characters and no direction overrides; addresses
are ASCII. Narratives are Markdown. What a type cannot say is checked in `issuance.achievements.rules`.
"""

from typing import Annotated, Any, Literal

import msgspec

from ledger.credentials.lexical import (
    LANGUAGE_PATTERN,
    LINE_PATTERN,
    TEXT_PATTERN,
    URI_PATTERN,
    URL_PATTERN,
    decimal_text,
)
from ledger.credentials.tables import VALUE_LISTS
from ledger.credentials.taxonomy import AssessmentMethod, CredentialType, FocusArea, Sector

Meta = msgspec.Meta


def _listed(name: str) -> str:
    terms = "|".join(sorted(VALUE_LISTS[name]))
    return rf"^(?:{terms}|ext:[A-Za-z0-9._-]{{1,60}})$"


Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=LINE_PATTERN)]
Text = Annotated[str, Meta(min_length=1, max_length=5_000, pattern=TEXT_PATTERN)]
Markdown = Annotated[str, Meta(min_length=1, max_length=20_000, pattern=TEXT_PATTERN)]
Tag = Annotated[str, Meta(min_length=1, max_length=60, pattern=LINE_PATTERN)]
Slug = Annotated[str, Meta(max_length=60, pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$")]
Uri = Annotated[str, Meta(max_length=2_000, pattern=URI_PATTERN)]
Url = Annotated[str, Meta(max_length=2_000, pattern=URL_PATTERN)]
Email = Annotated[str, Meta(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
Language = Annotated[str, Meta(max_length=20, pattern=LANGUAGE_PATTERN)]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
Hours = Annotated[str, Meta(max_length=20)] | int | float
Number = Annotated[str, Meta(max_length=20)] | int | float
AchievementType = Annotated[str, Meta(pattern=_listed("AchievementType"))]
TargetType = Annotated[str, Meta(pattern=_listed("AlignmentTargetType"))]
ResultType = Annotated[str, Meta(pattern=_listed("ResultType"))]
IdentifierType = Annotated[str, Meta(pattern=_listed("IdentifierType"))]
DeliveryMode = Literal["online", "in_person", "blended", "self_paced"]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all parts of the wish share: frozen, closed, and absent where at their default."""


class _Counted(Part, frozen=True, kw_only=True):
    """A part whose numbers become decimal strings; those that cannot stay as they are, for the rules to name."""

    def __post_init__(self) -> None:
        for name in NUMBERS & set(self.__struct_fields__):
            value = getattr(self, name)
            plain = None if value is None else decimal_text(value, below=10_000_000)
            if plain is not None:
                msgspec.structs.force_setattr(self, name, plain)


NUMBERS = frozenset(
    {"credits_available", "ects", "min", "max", "hours_per_week_min", "hours_per_week_max", "weight_percent"}
)


class Criteria(Part, frozen=True, kw_only=True):
    """What is needed to earn it: the address of a page, or a narrative in Markdown; one of them at least."""

    id: Uri | None = None
    narrative: Markdown | None = None


class Alignment(Part, frozen=True, kw_only=True):
    """A node of a framework: an ESCO skill, an O*NET occupation, a CASE item … `target_url` is its official address."""

    target_name: Line
    target_url: Url
    target_framework: Line | None = None
    target_code: Line | None = None
    target_description: Text | None = None
    target_type: TargetType | None = None


class RubricLevel(Part, frozen=True, kw_only=True):
    """A level of a rubric. `key` names it inside the description; `id` is kept where the level has one already."""

    name: Line
    key: Slug | None = None
    id: Uri | None = None
    level: Line | None = None
    points: Line | None = None
    description: Text | None = None
    alignments: Annotated[list[Alignment], Meta(max_length=50)] = []


class ResultDescription(Part, frozen=True, kw_only=True):
    """A result that awards may carry. `required_level` is the key or id of one of `levels`."""

    name: Line
    result_type: ResultType
    key: Slug | None = None
    id: Uri | None = None
    allowed_values: Annotated[list[Tag], Meta(max_length=100)] = []
    required_value: Tag | None = None
    value_min: Tag | None = None
    value_max: Tag | None = None
    required_level: Annotated[str, Meta(max_length=2_000)] | None = None
    levels: Annotated[list[RubricLevel], Meta(max_length=50)] = []
    alignments: Annotated[list[Alignment], Meta(max_length=50)] = []


class Creator(Part, frozen=True, kw_only=True):
    """Who defined the achievement, when that is not the institution itself."""

    id: Uri
    name: Line
    url: Url | None = None
    email: Email | None = None
    description: Text | None = None


class Related(Part, frozen=True, kw_only=True):
    """Another achievement that counts as the same: a translation, an earlier version."""

    id: Uri
    in_language: Language | None = None
    version: Line | None = None


class OtherIdentifier(Part, frozen=True, kw_only=True):
    """What another system calls the achievement."""

    identifier: Line
    identifier_type: IdentifierType


class Workload(_Counted, frozen=True, kw_only=True):
    """Hours of learning, from `min` to `max`; one number where both are equal."""

    min: Hours
    max: Hours


class Assessment(_Counted, frozen=True, kw_only=True):
    """One way in which the learning is assessed; where weights are given, they add up to 100."""

    method: AssessmentMethod
    title: Line | None = None
    weight_percent: Number | None = None
    supervision: Literal["none", "peers", "automated", "online", "on_site"] | None = None
    grading: Line | None = None


class QualityAssurance(Part, frozen=True, kw_only=True):
    """Who assures the quality, and how."""

    kind: Literal["internal", "external", "accreditation"]
    body: Line | None = None
    statement: Text | None = None
    url: Url | None = None


class Price(_Counted, frozen=True, kw_only=True):
    """What it costs, from `min` to `max` in one currency (ISO 4217)."""

    min: Number
    max: Number
    currency: Currency


class Duration(_Counted, frozen=True, kw_only=True):
    """How long it takes, in weeks or months as given, and the hours a week where they are known."""

    min: Number
    max: Number
    unit: Literal["weeks", "months"]
    hours_per_week_min: Hours | None = None
    hours_per_week_max: Hours | None = None


class Provider(Part, frozen=True, kw_only=True):
    """Who teaches it and where, as a cited fact; `platform_label` is the platform's own word for the credential."""

    name: Line | None = None
    url: Url | None = None
    platform: Line | None = None
    platform_label: Line | None = None
    accreditation: Line | None = None
    source: Line | None = None


class Details(_Counted, frozen=True, kw_only=True):
    """What Open Badges has no place for: it stands in the event's `details` and in the catalogue.

    `focus_area` is one of the 25 tags, `focus` the words for it; a focus outside the tags has words only. `sector`
    follows from the tag. `language` is what is taught in (`in_language` is what the definition is written in).
    `endorsement_jwts` are endorsements in the form of compact JWTs (Open Badges' `endorsementJwt`): they stand beside
    the achievement, not in credentials.
    """

    credential_type: CredentialType | None = None
    sector: Sector | None = None
    focus_area: FocusArea | None = None
    focus: Line | None = None
    learning_outcomes: Annotated[list[Text], Meta(max_length=50)] = []
    workload_hours: Workload | None = None
    ects: Number | None = None
    eqf_level: Annotated[int, Meta(ge=1, le=8)] | None = None
    assessments: Annotated[list[Assessment], Meta(max_length=20)] = []
    participation_form: Literal["online", "on_site", "blended", "workplace"] | None = None
    delivery_mode: DeliveryMode | None = None
    quality_assurance: QualityAssurance | None = None
    prerequisites: Text | None = None
    country: Country | None = None
    region: Line | None = None
    supervision_and_identity: (
        Literal["unsupervised_unverified", "supervised_unverified", "supervised_online", "supervised_on_site"] | None
    ) = None
    stackability: Literal["stand_alone", "stackable"] | None = None
    further_information: Url | None = None
    price: Price | None = None
    duration: Duration | None = None
    language: Language | None = None
    provider: Provider | None = None
    endorsement_jwts: Annotated[list[Annotated[str, Meta(max_length=65_536)]], Meta(max_length=10)] = []


class PublishAchievement(Details, frozen=True, kw_only=True):
    """An achievement, or its next version. Without `achievement_type` the credential type decides it.

    `image` is a data URI (PNG or SVG, ≤ 256 KiB) or the address of one elsewhere; without it the badge is drawn.
    `version` is a label for people; without it the number stands there. `endorsements` are EndorsementCredentials of
    others, each whole and with its own proof: they are kept as they come and stand in every credential.
    """

    name: Line
    description: Text
    criteria: Criteria
    achievement_type: AchievementType | None = None
    image: Annotated[str, Meta(max_length=350_000)] | None = None
    image_caption: Line | None = None
    tags: Annotated[list[Tag], Meta(max_length=50)] = []
    alignments: Annotated[list[Alignment], Meta(max_length=100)] = []
    field_of_study: Line | None = None
    specialization: Line | None = None
    human_code: Line | None = None
    creator: Creator | None = None
    credits_available: Number | None = None
    in_language: Language | None = None
    version: Line | None = None
    result_descriptions: Annotated[list[ResultDescription], Meta(max_length=50)] = []
    related: Annotated[list[Related], Meta(max_length=50)] = []
    other_identifiers: Annotated[list[OtherIdentifier], Meta(max_length=50)] = []
    endorsements: Annotated[list[dict[str, Any]], Meta(max_length=10)] = []
