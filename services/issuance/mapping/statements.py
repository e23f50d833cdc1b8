"""xAPI statements (1.0.3, Part 2 §2.4, which IEEE 9274.1.1 calls 2.0): what they must be, and as records. ● Pure.

Verbs that say what came out are taken: completed, passed, failed, scored of ADL. An actor must name a person: one
e-mail address, account or OpenID; a hashed address names nobody, a group is not one.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec

from ledger.errors import FieldError, Malformed

VERBS: Final = "http://adlnet.gov/expapi/verbs/"
OUTCOMES: Final = frozenset({"completed", "passed", "failed", "scored"})
VOIDED: Final = f"{VERBS}voided"
_UUID: Final = r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"
_PLACE: Final = re.compile(r" - at `\$(.*)`$")
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
# Part 2 §2.3.1: differences in these are none.
_NOT_COMPARED: Final = frozenset({"id", "authority", "stored", "timestamp", "version", "attachments"})

Iri = Annotated[str, msgspec.Meta(min_length=3, max_length=2000, pattern=r"^[A-Za-z][A-Za-z0-9+.\-]*:\S+$")]
Text = Annotated[str, msgspec.Meta(max_length=2000)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A member of a statement: closed, as §2.2 wants."""


class Account(_Part, frozen=True, kw_only=True):
    """An account on a system (§2.4.2.4)."""

    homePage: Iri  # noqa: N815 - the standard's name
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Actor(_Part, frozen=True, kw_only=True):
    """An Agent (§2.4.2.1), or a Group, which is refused."""

    objectType: str = "Agent"  # noqa: N815
    name: Text | None = None
    mbox: Annotated[str, msgspec.Meta(pattern=r"^mailto:[^@\s]+@[^@\s]+$", max_length=261)] | None = None
    mbox_sha1sum: Text | None = None
    openid: Iri | None = None
    account: Account | None = None
    member: list[Any] = []


class Verb(_Part, frozen=True, kw_only=True):
    """What was done (§2.4.3)."""

    id: Iri
    display: dict[str, Text] = {}


class Score(_Part, frozen=True, kw_only=True):
    """§2.4.5.1."""

    scaled: Annotated[float, msgspec.Meta(ge=-1, le=1)] | None = None
    raw: float | None = None
    min: float | None = None
    max: float | None = None


class Result(_Part, frozen=True, kw_only=True):
    """§2.4.5."""

    score: Score = Score()
    success: bool | None = None
    completion: bool | None = None
    response: Text | None = None
    duration: Text | None = None
    extensions: dict[str, Any] = {}


class Statement(_Part, frozen=True, kw_only=True):
    """A statement. `object` and what we do not read are kept as they came."""

    actor: Actor
    verb: Verb
    object: dict[str, Any]
    id: Annotated[str, msgspec.Meta(pattern=_UUID)] | None = None
    result: Result = Result()
    context: dict[str, Any] = {}
    timestamp: Text | None = None
    stored: Text | None = None
    authority: dict[str, Any] = {}
    version: Annotated[str, msgspec.Meta(pattern=r"^(?:1\.0|2\.0)(?:\.\d+)?$")] | None = None
    attachments: list[Any] = []

    @property
    def outcome(self) -> str | None:
        """The last part of a verb that says what came out; None for every other."""
        name = self.verb.id.removeprefix(VERBS)
        return name if name in OUTCOMES and name != self.verb.id else None

    @property
    def voids(self) -> str | None:
        """The id of the statement that this one voids (§2.3.2), if it does."""
        return str(self.object["id"]).lower() if self.verb.id == VOIDED else None


def statements_in(content: bytes) -> list[Statement]:
    """The statements of a body, one or an array. Raises Malformed with a pointer to what is wrong."""
    try:
        body = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed("The body is not JSON.") from error
    return statements_of(body)


def statements_of(body: Any) -> list[Statement]:
    """The statements of a parsed body. Raises Malformed."""
    listed = body if isinstance(body, list) else [body]
    prefix = "/{}" if isinstance(body, list) else ""
    found = [statement_of(one, prefix.format(number)) for number, one in enumerate(listed)]
    ids = [one.id.lower() for one in found if one.id]
    if len(set(ids)) < len(ids):  # Part 3 §2.1.2
        raise Malformed("Two statements of the batch have the same id.")
    return found


def statement_of(value: Any, pointer: str = "") -> Statement:
    """One statement. Raises Malformed with pointers below `pointer`."""
    if (null := _null_in(value, pointer)) is not None:
        raise Malformed("A statement holds no null.", errors=[FieldError(null, "is null")])
    try:
        statement = msgspec.convert(value, Statement)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        where = "".join(f"/{name or index}" for name, index in _STEP.findall(place.group(1) if place else ""))
        said = [FieldError(pointer + where, _PLACE.sub("", str(error)))]
        raise Malformed("That is no xAPI statement.", errors=said) from error
    problems = [FieldError(pointer + where, said) for where, said in _problems(statement)]
    if problems:
        raise Malformed("A statement cannot be taken as it is.", errors=problems)
    return statement


def record_of(statement: Statement) -> dict[str, str]:
    """The statement as a record; the columns are those of `issuance.mapping.presets`."""
    actor, result = statement.actor, statement.result
    values: dict[str, str | None] = {
        "verb": statement.outcome,
        "activity": str(statement.object.get("id", "")),
        "actor.mbox": actor.mbox.removeprefix("mailto:") if actor.mbox else None,
        "actor.account.name": actor.account.name if actor.account else None,
        "actor.account.homePage": actor.account.homePage if actor.account else None,
        "actor.openid": actor.openid,
        "actor.name": actor.name,
        "result.success": None if result.success is None else str(result.success).lower(),
        "result.completion": None if result.completion is None else str(result.completion).lower(),
        "timestamp": _utc(statement.timestamp),
    }
    for name in ("scaled", "raw", "min", "max"):
        number = getattr(result.score, name)
        values[f"result.score.{name}"] = None if number is None else f"{Decimal(str(number)):f}"
    return {column: text for column, text in values.items() if text is not None}


def compared(value: Mapping[str, Any]) -> bytes:
    """What two statements of one id must agree in (Part 2 §2.3.1), as canonical bytes."""
    kept = {name: member for name, member in value.items() if name not in _NOT_COMPARED}
    kept["verb"] = {"id": value["verb"]["id"]}
    kept["object"] = {name: member for name, member in value["object"].items() if name != "definition"}
    moment = value.get("timestamp")
    kept["timestamp"] = None if moment is None else _utc(moment)
    return hashlib.sha256(msgspec.json.encode(kept, order="deterministic")).digest()


def _problems(statement: Statement) -> list[tuple[str, str]]:
    found = []
    if statement.timestamp is not None and _utc(statement.timestamp) is None:
        found.append(("/timestamp", "is no time of ISO 8601"))
    kind = statement.object.get("objectType", "Activity")
    if statement.verb.id == VOIDED:
        if kind != "StatementRef" or not re.fullmatch(_UUID, str(statement.object.get("id", ""))):
            found.append(("/object", "a statement that voids another refers to it: objectType StatementRef and its id"))
        return found
    if statement.outcome is None:
        return found
    if kind != "Activity" or not isinstance(statement.object.get("id"), str):
        found.append(("/object", "only what was done with an activity can lead to a result"))
    return found + _actor_problems(statement.actor)


def _actor_problems(actor: Actor) -> list[tuple[str, str]]:
    named = [name for name in ("mbox", "mbox_sha1sum", "openid", "account") if getattr(actor, name) is not None]
    if actor.objectType != "Agent" or actor.member:
        return [("/actor", "a group is no learner: send a statement for each of its members")]
    if len(named) != 1:
        return [("/actor", "is named by exactly one of mbox, account and openid")]
    if named == ["mbox_sha1sum"]:
        return [("/actor/mbox_sha1sum", "a hash of an address names no learner: send mbox, account or openid")]
    if actor.account is not None and not urlsplit(actor.account.homePage).scheme:
        return [("/actor/account/homePage", "is no IRL")]
    return []


def _utc(text: str | None) -> str | None:
    """A time of a statement in UTC; one without a zone is UTC (§4.2.7)."""
    try:
        moment = datetime.fromisoformat(text or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return None


def _null_in(value: Any, pointer: str, depth: int = 0) -> str | None:
    """Where a null stands outside extensions (§2.2); deep nesting is refused before by the shell."""
    if value is None:
        return pointer
    if isinstance(value, dict) and depth < 32:
        inside = [(f"{pointer}/{name}", member) for name, member in value.items() if name != "extensions"]
    elif isinstance(value, list) and depth < 32:
        inside = [(f"{pointer}/{index}", member) for index, member in enumerate(value)]
    else:
        return None
    return next((found for where, member in inside if (found := _null_in(member, where, depth + 1)) is not None), None)
