"""The demo's content as it lies in `deploy/demo`: catalogue.toml, samples.toml, a class list and foreign documents.

Rules. Content is data: an achievement is what `POST /v1/achievements` takes, `common` of its institution merged in.
Institutions are invented, on `.example` domains, and say DEMO in their names; nothing else is loaded.
"""

import tomllib
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

import ledger
from ledger.cli.failure import USAGE, Failure

CATALOGUE: Final = "catalogue.toml"
SAMPLES: Final = "samples.toml"
Json = dict[str, Any]


class Institution(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An invented institution, what holds for all of its achievements, and these; each has a `slug` of its own."""

    slug: str
    name: str
    url: str
    email: str
    country: str
    description: str
    status_profile: Literal["certified", "full"]
    common: Json
    achievements: list[Json]

    def wish(self) -> Json:
        """The body of `POST /v1/institutions`."""
        fields = msgspec.structs.asdict(self)
        return {name: value for name, value in fields.items() if name not in ("common", "achievements")} | {
            "demo": True
        }

    def wishes(self) -> dict[str, Json]:
        """The body of `POST /v1/achievements` for each achievement, by slug."""
        return {
            one["slug"]: {**self.common, **{name: value for name, value in one.items() if name != "slug"}}
            for one in self.achievements
        }


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One change of an award's standing, as revocation takes it."""

    change: Literal["suspension", "reinstatement", "revocation"]
    reason_code: str
    reason: str
    authority: str

    def wish(self) -> Json:
        """The body of `POST /v1/awards/{id}/<change>`."""
        return {"reason_code": self.reason_code, "reason": self.reason, "authority": self.authority}


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to the award of a row of the class list, in order."""

    learner: int
    changes: list[Change]


class Sample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A credential of the demo page: the award of a row (with `altered_name` in place of the learner's, where given), a
    document of somebody else, or one signed when the demo is loaded. `verified`, `recognised` and `checks` are what the
    verification must say."""

    name: str
    title: str
    story: str
    expect: str
    learner: int | None = None
    altered_name: str | None = None
    file: str | None = None
    signed_by: Literal["openvc"] | None = None
    source: str | None = None
    verified: bool | None = None
    recognised: bool = False
    checks: dict[str, str] = {}


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `achievement` is the slug of what the class is awarded; `folder` holds the files that are named."""

    folder: Path
    institutions: list[Institution]
    achievement: str
    class_list: str
    columns: str
    standings: list[Standing]
    samples: list[Sample]

    @property
    def issuer(self) -> Institution:
        """The institution that awards the class."""
        return next(one for one in self.institutions if self.achievement in one.wishes())


def default_folder() -> Path:
    """`deploy/demo` of the project that this package lies in."""
    return Path(ledger.__file__).resolve().parents[2] / "deploy" / "demo"


def read_content(folder: Path) -> Content:
    """The content in a folder. Raises Failure."""
    try:
        catalogue, samples = (tomllib.loads((folder / name).read_text("utf-8")) for name in (CATALOGUE, SAMPLES))
        return msgspec.convert({"folder": folder, **catalogue, **samples}, Content, dec_hook=lambda _, value: value)
    except OSError as error:
        raise Failure(
            f"The demo's content is not in {folder} ({error.strerror}): name its folder with --content.", USAGE
        ) from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Failure(f"The demo's content in {folder} cannot be used: {error}.", USAGE) from error


def renamed(document: Json, name: str) -> Json:
    """The credential with another learner's name and everything else as it was. Raises Failure where it has none."""
    subject = document["credentialSubject"]
    entries = subject.get("identifier", [])
    if not any(entry.get("identityType") == "name" for entry in entries):
        raise Failure("The demo's award holds no name that could be altered.")
    changed = [{**entry, "identityHash": name} if entry.get("identityType") == "name" else entry for entry in entries]
    return {**document, "credentialSubject": {**subject, "identifier": changed}}
