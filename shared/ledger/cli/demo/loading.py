"""Loads the demo as any client would, over HTTP, with a key for each wish that never changes.

Rules. Killed at any moment and run again, it goes on: every wish is answered as the first time. The index `demo.json`
is written last and whole, so where it is, everything is. Nothing is signed in the name of anybody who exists.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from ledger.class_list import parse_columns, read_class_list
from ledger.cli.api import PATIENT_SECONDS, Api
from ledger.cli.award_csv import Outcome, award_class_list
from ledger.cli.demo.content import Content, Institution, Sample, default_folder, read_content, renamed
from ledger.cli.failure import UNAVAILABLE, Failure
from ledger.cli.place import Place
from ledger.cli.speaking import note

INDEX: Final = "demo.json"
FOREIGN_ISSUER: Final = "foreign_issuer.py"
SIGNING_SECONDS: Final = 60
READABLE: Final = 0o644  # by the registry, whichever account loads the demo
# Part of every key: another content of the demo needs another one.
EDITION: Final = "demo-1"


class Shown(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sample in the index, as the registry's page reads it."""

    name: str
    title: str
    story: str
    expect: str
    file: str
    credential_url: str | None = None
    award_id: str | None = None


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What is there now, and the page that shows it; `already` where an earlier run had loaded it."""

    page: str
    already: bool
    institutions: int = 0
    achievements: int = 0
    awards: int = 0
    samples: list[str] = []


def load_demo(place: Place, folder: Path | None, *, if_needed: bool) -> Loaded:
    """Load what is missing and write the samples. Raises Failure."""
    page = f"{place.public_url}/demo"
    if if_needed and (place.demo_folder / INDEX).is_file():
        return Loaded(page=page, already=True)
    content = read_content(folder or default_folder())
    operator = place.operator_key()
    if operator is None:
        raise Failure(
            f"The operator's key is not in {place.folder}: start the ledger with `make run`, or name its folder in "
            "CREDLEDGER_DATA.",
            UNAVAILABLE,
        )
    issuer_key, achievements = _publish(place, content, operator)
    awards = _award(place, content, issuer_key, achievements[content.achievement])
    _change_standings(place, content, issuer_key, awards)
    with Api(place.address("registry"), retry_seconds=PATIENT_SECONDS) as registry:
        shown = [_write_sample(place.demo_folder, content, sample, awards, registry) for sample in content.samples]
    found = [one for one in shown if one is not None]
    _write(place.demo_folder / INDEX, msgspec.json.format(msgspec.json.encode({"samples": found}), indent=2))
    return Loaded(
        page=page,
        already=False,
        institutions=len(content.institutions),
        achievements=len(achievements),
        awards=len(awards),
        samples=[one.name for one in found],
    )


def _publish(place: Place, content: Content, operator: str) -> tuple[str, dict[str, str]]:
    """Institutions and catalogue: the key of the institution that awards, and every achievement's id by slug."""
    issuer_key = ""
    achievements: dict[str, str] = {}
    with Api(place.address("issuance"), operator, retry_seconds=PATIENT_SECONDS) as issuance:
        for institution in content.institutions:
            wish = institution.wish()
            made = issuance.post("/v1/institutions", wish, key=f"{EDITION}-institution-{institution.slug}")
            achievements |= _publish_achievements(place, institution, made["api_key"])
            if institution.slug == content.issuer.slug:
                issuer_key = made["api_key"]
    return issuer_key, achievements


def _publish_achievements(place: Place, institution: Institution, key: str) -> dict[str, str]:
    with Api(place.address("issuance"), key, retry_seconds=PATIENT_SECONDS) as issuance:
        return {
            slug: str(issuance.post("/v1/achievements", wish, key=f"{EDITION}-achievement-{slug}")["id"])
            for slug, wish in institution.wishes().items()
        }


def _award(place: Place, content: Content, key: str, achievement_id: str) -> Sequence[Outcome]:
    """The class list, as `credledger award-csv` awards it."""
    listed = read_class_list((content.folder / content.class_list).read_bytes(), parse_columns(content.columns))
    with Api(place.address("issuance"), key, retry_seconds=PATIENT_SECONDS) as issuance:
        outcomes = award_class_list(issuance, listed, achievement_id)
    for one in outcomes:
        if one.award_id is None:
            raise Failure(f"The demo's class list was refused in line {one.line}: {one.detail}")
    return outcomes


def _change_standings(place: Place, content: Content, key: str, awards: Sequence[Outcome]) -> None:
    with Api(place.address("revocation"), key, retry_seconds=PATIENT_SECONDS) as revocation:
        for standing in content.standings:
            award_id = awards[standing.learner - 1].award_id
            for number, change in enumerate(standing.changes, 1):
                path = f"/v1/awards/{award_id}/{change.change}"
                revocation.post(path, change.wish(), key=f"{EDITION}-standing-{standing.learner}-{number}")


def _write_sample(
    folder: Path, content: Content, sample: Sample, awards: Sequence[Outcome], registry: Api
) -> Shown | None:
    """Write a sample's file; its line in the index, or None where what makes it is not installed here."""
    award = awards[sample.learner - 1] if sample.learner is not None else None
    document = _document(content, sample, award, registry)
    if document is None:
        note("credledger: openvc-core is not installed, so the demo goes without its sample.")
        return None
    file = f"{sample.name}.json"
    _write(folder / file, document)
    genuine = award if sample.altered_name is None else None
    return Shown(
        name=sample.name,
        title=sample.title,
        story=sample.story,
        expect=sample.expect,
        file=file,
        credential_url=genuine.credential_url if genuine else None,
        award_id=genuine.award_id if genuine else None,
    )


def _document(content: Content, sample: Sample, award: Outcome | None, registry: Api) -> bytes | None:
    if sample.file is not None:
        return (content.folder / sample.file).read_bytes()
    if award is None:
        return _signed_by_a_stranger(content.folder)
    # The public address may lead through the world outside; the registry itself is at hand.
    path = urlsplit(award.credential_url or "").path
    document = registry.content(path, "application/vc")
    if sample.altered_name is None:
        return document
    altered: dict[str, Any] = renamed(msgspec.json.decode(document), sample.altered_name)
    return msgspec.json.encode(altered)


def _signed_by_a_stranger(folder: Path) -> bytes | None:
    """A credential that other software signed, in a process of its own. None where that is not installed."""
    command = [sys.executable, "-P", str(folder / FOREIGN_ISSUER)]
    try:
        made = subprocess.run(command, capture_output=True, timeout=SIGNING_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failure(f"{FOREIGN_ISSUER} took longer than {SIGNING_SECONDS} s.") from error
    if made.returncode and b"ModuleNotFoundError" in made.stderr:
        return None
    if made.returncode:
        raise Failure(f"{FOREIGN_ISSUER} failed: {made.stderr.decode(errors='replace').strip()[-300:]}")
    return made.stdout


def _write(path: Path, content: bytes) -> None:
    """A file, whole or not at all. Raises Failure."""
    new = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(content)
        new.chmod(READABLE)
        os.replace(new, path)
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}.") from error
