"""An Open Badges 3.0 Achievement document, posted as it is, read as the wish to publish it.

Its own id becomes a related achievement (the published version has an id of its own here), its version a label, and its
endorsements are kept as they are. What we could not write back is refused with its pointer, never dropped: extensions,
which no context of a badge defines, so that no signature would cover them. Pointers are those of the document that was
sent.
"""

import re
from typing import Any, Final

import msgspec

from issuance.achievements.endorsements import OPEN_BADGES_NAMES, endorsement_faults
from issuance.achievements.model import PublishAchievement
from ledger.credentials.open_badges import achievement_errors
from ledger.credentials.tables import TABLES
from ledger.errors import FieldError, Malformed

# Open Badges' name → ours, for each class that an Achievement holds; a class name after the colon is read on.
_NAMES: Final[dict[str, dict[str, str]]] = {
    "Achievement": {
        "name": "name",
        "description": "description",
        "criteria": "criteria:Criteria",
        "achievementType": "achievement_type",
        "image": "image:Image",
        "tag": "tags",
        "alignment": "alignments:Alignment",
        "fieldOfStudy": "field_of_study",
        "specialization": "specialization",
        "humanCode": "human_code",
        "creator": "creator:Profile",
        "creditsAvailable": "credits_available",
        "inLanguage": "in_language",
        "version": "version",
        "resultDescription": "result_descriptions:ResultDescription",
        "related": "related:Related",
        "otherIdentifier": "other_identifiers:IdentifierEntry",
        "endorsement": "endorsements",
        "endorsementJwt": "endorsement_jwts",
    },
    "Criteria": {"id": "id", "narrative": "narrative"},
    "Image": {"id": "id", "caption": "caption"},
    "Alignment": {
        "targetName": "target_name",
        "targetUrl": "target_url",
        "targetFramework": "target_framework",
        "targetCode": "target_code",
        "targetDescription": "target_description",
        "targetType": "target_type",
    },
    "Profile": {"id": "id", "name": "name", "url": "url", "email": "email", "description": "description"},
    "ResultDescription": {
        "id": "id",
        "name": "name",
        "resultType": "result_type",
        "allowedValue": "allowed_values",
        "requiredValue": "required_value",
        "valueMin": "value_min",
        "valueMax": "value_max",
        "requiredLevel": "required_level",
        "rubricCriterionLevel": "levels:RubricCriterionLevel",
        "alignment": "alignments:Alignment",
    },
    "RubricCriterionLevel": {
        "id": "id",
        "name": "name",
        "level": "level",
        "points": "points",
        "description": "description",
        "alignment": "alignments:Alignment",
    },
    "Related": {"id": "id", "inLanguage": "in_language", "version": "version"},
    "IdentifierEntry": {"identifier": "identifier", "identifierType": "identifier_type"},
}
EXTENSION: Final = (
    "is no term of Open Badges 3.0: no context defines it, so no signature of a credential would cover it"
)
_PLACE = re.compile(r" - at `\$(.*)`$")


def is_open_badges(body: Any) -> bool:
    """Whether a request body is an Achievement document rather than our own form."""
    kinds = body.get("type") if isinstance(body, dict) else None
    return "Achievement" in (kinds if isinstance(kinds, list) else [kinds])


def achievement_from_ob3(document: dict[str, Any]) -> PublishAchievement:
    """The wish behind an Achievement document. Raises Malformed with the document's own pointers."""
    faults = achievement_errors(document)
    if not faults:
        faults = endorsement_faults(
            document.get("endorsement", []), document.get("endorsementJwt", []), OPEN_BADGES_NAMES
        )
    read: dict[str, Any] = _read(
        {k: v for k, v in document.items() if k not in ("@context", "id")}, "Achievement", "", faults
    )
    if faults:
        raise Malformed("The achievement is not a valid Open Badges 3.0 Achievement.", errors=faults)
    image = read.pop("image", None)
    if image is not None:
        read |= {"image": image["id"]} | ({"image_caption": image["caption"]} if "caption" in image else {})
    read["related"] = [{"id": document["id"]}, *read.get("related", [])]
    try:
        return msgspec.convert(read, PublishAchievement)
    except msgspec.ValidationError as error:
        raise Malformed("The achievement has a field that is not taken here.", errors=[_fault(error)]) from error


def _read(value: dict[str, Any], kind: str, at: str, faults: list[FieldError]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for name, member in value.items():
        if name == "type":
            continue
        if name not in _NAMES[kind]:
            faults.append(FieldError(f"{at}/{name}", "is not taken here" if name in TABLES[kind].fields else EXTENSION))
            continue
        ours, _, inner = _NAMES[kind][name].partition(":")
        if inner and isinstance(member, list):
            read[ours] = [
                _read(one, inner, f"{at}/{name}/{index}", faults)
                for index, one in enumerate(member)
                if isinstance(one, dict)
            ]
        elif inner:
            read[ours] = _read(member, inner, f"{at}/{name}", faults) if isinstance(member, dict) else member
        else:
            read[ours] = member
    return read


def _fault(error: msgspec.ValidationError) -> FieldError:
    """msgspec's `$.result_descriptions[0].name` as the sent document's `/resultDescription/0/name`."""
    message = str(error)
    found = _PLACE.search(message)
    steps = re.findall(r"[^.\[\]]+", found[1]) if found else []
    if steps[:1] == ["image_caption"]:
        steps = ["image", "caption"]
    elif steps == ["image"]:
        steps = ["image", "id"]
    theirs = {ours.partition(":")[0]: name for names in _NAMES.values() for name, ours in names.items() if name != ours}
    return FieldError("".join(f"/{theirs.get(step, step)}" for step in steps), _PLACE.sub("", message))
