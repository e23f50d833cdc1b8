"""From the wish to the Open Badges 3.0 Achievement object that stands in every credential of a version, and to the
event that publishes it. Equal parts are written once; absent ones are left out."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from issuance.achievements.endorsements import Judged
from issuance.achievements.model import Alignment, Creator, Details, PublishAchievement, ResultDescription, RubricLevel
from issuance.achievements.rules import check, check_document, picture_of_wish
from ledger.credentials.art import text_alternative
from ledger.credentials.images import Picture
from ledger.credentials.lexical import credit_number
from ledger.credentials.siblings import without_twins
from ledger.credentials.taxonomy import CREDENTIAL_TYPES, SECTORS, sector_of
from ledger.events import AchievementPublished

Json = dict[str, Any]


def published(
    wish: PublishAchievement, achievement_url: str, version: int, endorsed: Sequence[Judged] = ()
) -> tuple[AchievementPublished, Picture | None]:
    """The event that publishes `wish` as `version` at `achievement_url`, and the picture to store, if it brought one.

    `endorsed` is what was found out about its endorsements; it stands in the details as `endorsement_signatures`.
    Raises Malformed with a pointer to every bad field.
    """
    check(wish)
    picture = picture_of_wish(wish)
    document = achievement_document(wish, achievement_url, version)
    check_document(document)
    signatures = {"endorsement_signatures": msgspec.to_builtins(endorsed)} if endorsed else {}
    event = AchievementPublished(
        achievement_version=version,
        document=document,
        details=details_of(wish) | signatures,
        image_sha256=None if picture is None else hashlib.sha256(picture.data).hexdigest(),
        image_media_type=None if picture is None else picture.media_type,
    )
    return event, picture


def details_of(wish: PublishAchievement) -> Json:
    """The event's `details`: what is not in the document, with the sector and the words that a focus tag implies."""
    held = {name: getattr(wish, name) for name in Details.__struct_fields__}
    if wish.focus_area is not None:
        sector = sector_of(wish.focus_area)
        held["sector"] = sector
        held["focus"] = wish.focus or SECTORS[sector].focus_areas[wish.focus_area]
    return _present({name: msgspec.to_builtins(value) for name, value in held.items()})


def achievement_document(wish: PublishAchievement, achievement_url: str, version: int) -> Json:
    """The Open Badges 3.0 Achievement of a checked wish; `achievement_url` is the version's own address and id."""
    made: Json = without_twins(
        _present(
            {
                "id": achievement_url,
                "type": ["Achievement"],
                "name": wish.name,
                "description": wish.description,
                "criteria": _present({"id": wish.criteria.id, "narrative": wish.criteria.narrative}),
                "achievementType": _achievement_type(wish),
                "image": _image(wish, achievement_url),
                "tag": wish.tags,
                "alignment": _alignments(wish.alignments),
                "fieldOfStudy": wish.field_of_study,
                "specialization": wish.specialization,
                "humanCode": wish.human_code,
                "creator": None if wish.creator is None else _creator(wish.creator),
                "creditsAvailable": None
                if wish.credits_available is None
                else credit_number(str(wish.credits_available)),
                "inLanguage": wish.in_language,
                "version": wish.version or str(version),
                "resultDescription": [
                    _result(one, f"{achievement_url}#{one.key or f'result-{number}'}")
                    for number, one in enumerate(wish.result_descriptions, 1)
                ],
                "related": [
                    _present({"id": one.id, "type": ["Related"], "inLanguage": one.in_language, "version": one.version})
                    for one in wish.related
                ],
                "otherIdentifier": [
                    {"type": "IdentifierEntry", "identifier": one.identifier, "identifierType": one.identifier_type}
                    for one in wish.other_identifiers
                ],
            }
        )
    )
    # As they came: another order or a member less, and their proofs would no longer hold.
    return made | ({"endorsement": wish.endorsements} if wish.endorsements else {})


def _present(members: Json) -> Json:
    return {name: value for name, value in members.items() if value is not None and value not in ([], {})}


def _credits(wish: PublishAchievement) -> int | float | None:
    return None if wish.credits_available is None else credit_number(str(wish.credits_available))


def _achievement_type(wish: PublishAchievement) -> str | None:
    if wish.achievement_type is not None or wish.credential_type is None:
        return wish.achievement_type
    return CREDENTIAL_TYPES[wish.credential_type].achievement_type


def _image(wish: PublishAchievement, achievement_url: str) -> Json:
    """Where the picture is to be had: elsewhere as given, else below the version, PNG unless an SVG was sent."""
    if wish.image is not None and not wish.image.startswith("data:"):
        url = wish.image
    else:
        svg = wish.image is not None and wish.image[:20].lower().startswith("data:image/svg")
        url = f"{achievement_url}/image.{'svg' if svg else 'png'}"
    sector = sector_of(wish.focus_area) if wish.focus_area is not None else wish.sector
    caption = wish.image_caption or text_alternative(wish.name, wish.credential_type, sector)
    return {"id": url, "type": "Image", "caption": caption}


def _alignments(alignments: list[Alignment]) -> list[Json]:
    return [
        _present(
            {
                "type": ["Alignment"],
                "targetName": one.target_name,
                "targetUrl": one.target_url,
                "targetFramework": one.target_framework,
                "targetCode": one.target_code,
                "targetDescription": one.target_description,
                "targetType": one.target_type,
            }
        )
        for one in alignments
    ]


def _creator(creator: Creator) -> Json:
    return _present(
        {
            "id": creator.id,
            "type": ["Profile"],
            "name": creator.name,
            "url": creator.url,
            "email": creator.email,
            "description": creator.description,
        }
    )


def _result(one: ResultDescription, url: str) -> Json:
    """A result description; what has no id of its own is named below the achievement, by key or by number."""
    ids = {number: level.id or f"{url}-{level.key or f'level-{number}'}" for number, level in enumerate(one.levels, 1)}
    named = {name: ids[number] for number, level in enumerate(one.levels, 1) for name in (level.key, level.id)}
    return _present(
        {
            "id": one.id or url,
            "type": ["ResultDescription"],
            "name": one.name,
            "resultType": one.result_type,
            "allowedValue": one.allowed_values,
            "requiredValue": one.required_value,
            "valueMin": one.value_min,
            "valueMax": one.value_max,
            "requiredLevel": None if one.required_level is None else named[one.required_level],
            "rubricCriterionLevel": [_level(level, ids[number]) for number, level in enumerate(one.levels, 1)],
            "alignment": _alignments(one.alignments),
        }
    )


def _level(level: RubricLevel, url: str) -> Json:
    return _present(
        {
            "id": url,
            "type": ["RubricCriterionLevel"],
            "name": level.name,
            "level": level.level,
            "points": level.points,
            "description": level.description,
            "alignment": _alignments(level.alignments),
        }
    )
