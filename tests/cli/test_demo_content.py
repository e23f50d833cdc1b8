"""The demo's content: everything that the founding article names, and nobody who exists."""

import hashlib
import json
import subprocess
import sys
from urllib.parse import urlsplit

import msgspec
import pytest
from openvc.did.did_key import DidKeyResolver  # type: ignore[import-not-found, unused-ignore]

from issuance.achievements import PublishAchievement, published, rules
from issuance.institutions import CreateInstitution
from ledger.class_list import award_for, parse_columns, read_class_list
from ledger.cli.demo.content import Content, default_folder, read_content, renamed
from ledger.cli.failure import Failure
from ledger.credentials.taxonomy import ASSESSMENT_METHODS, CREDENTIAL_TYPES, SECTORS
from registry import founding
from revocation.standings import ChangeStanding

FOLDER = default_folder()


@pytest.fixture(scope="module")
def content() -> Content:
    return read_content(FOLDER)


def wishes(content: Content) -> list[PublishAchievement]:
    return [
        msgspec.convert(wish, PublishAchievement)
        for institution in content.institutions
        for wish in institution.wishes().values()
    ]


def test_every_achievement_can_be_published(content: Content) -> None:
    for number, wish in enumerate(wishes(content)):
        rules.check(wish)
        event, _ = published(wish, f"https://registry.example/achievements/{number}/versions/1", 1)
        assert event.achievement_version == 1


def test_every_type_method_and_focus_area_is_there(content: Content) -> None:
    offered = wishes(content)

    assert {wish.credential_type for wish in offered} == {tag for tag in CREDENTIAL_TYPES if tag}
    assert {one.method for wish in offered for one in wish.assessments} == set(ASSESSMENT_METHODS)
    assert {wish.focus_area for wish in offered} == {
        area for tag, sector in SECTORS.items() if tag for area in sector.focus_areas
    }
    assert len(offered) == 25


def test_slugs_name_one_achievement_each(content: Content) -> None:
    slugs = [slug for institution in content.institutions for slug in institution.wishes()]

    assert len(set(slugs)) == len(slugs) == 25
    assert content.achievement in slugs


def test_courses_last_as_long_as_the_article_says(content: Content) -> None:
    short = {"min": "4", "max": "6", "unit": "weeks", "hours_per_week_min": "2", "hours_per_week_max": "3"}
    long = {"min": "3", "max": "6", "unit": "months", "hours_per_week_min": "5", "hours_per_week_max": "10"}
    hours = {"weeks": {"min": "8", "max": "18"}, "months": {"min": "65", "max": "260"}}

    for wish in wishes(content):
        assert wish.duration is not None
        assert msgspec.to_builtins(wish.duration) in (short, long)
        assert msgspec.to_builtins(wish.workload_hours) == hours[wish.duration.unit]


def test_what_the_article_cites_of_others_is_in_the_catalogue_and_offered_by_nobody_here(content: Content) -> None:
    real = {fact.provider for fact in founding.CITED if fact.provider} | {"Google"}
    text = (FOLDER / "catalogue.toml").read_text()

    assert len(founding.OFFERED) == 14
    assert [fact.name for fact in founding.NAMED] == [
        "IT Support Professional Certificate",
        "Azure Fundamentals",
        "Data Science Professional Certificate",
    ]
    assert [brand for brand in real if brand in text] == []
    assert all(wish.provider is None for wish in wishes(content))


def test_institutions_are_invented_and_say_demo(content: Content) -> None:
    for institution in content.institutions:
        wish = msgspec.convert(institution.wish(), CreateInstitution)
        assert wish.demo
        assert wish.name.endswith("(DEMO)")
        assert (urlsplit(wish.url).hostname or "").endswith(".example")
        assert (wish.email or "").endswith(".example")


def test_the_class_has_thirty_invented_learners(content: Content) -> None:
    listed = read_class_list((FOLDER / content.class_list).read_bytes(), parse_columns(content.columns))
    awards = [award_for(row, "ach_" + "a" * 26) for row in listed.rows]
    invented = ("Example", "Sample", "Specimen", "Placeholder", "Invented", "Fictional")

    assert len(awards) == 30
    assert [row.repeats for row in listed.rows] == [None] * 30
    for award in awards:
        assert award["learner"].keys() == {"email", "name", "student_id"}
        assert award["learner"]["email"].endswith("@learners.example")
        assert any(word in award["learner"]["name"] for word in invented)


def test_standings_and_samples_name_rows_of_the_class(content: Content) -> None:
    rows = [one.learner for one in content.standings] + [one.learner for one in content.samples if one.learner]

    assert all(1 <= row <= 30 for row in rows)
    for standing in content.standings:
        for change in standing.changes:
            msgspec.convert(change.wish(), ChangeStanding)
    assert [sample.name for sample in content.samples] == [
        "genuine", "altered", "revoked", "reinstated", "w3c", "open-badges", "openvc",
    ]  # fmt: skip


def test_every_sample_of_others_says_where_it_comes_from(content: Content) -> None:
    foreign = [sample for sample in content.samples if sample.learner is None]

    assert len(foreign) == 3
    assert all(sample.source for sample in foreign)


def test_one_letter_of_the_name_changes_and_nothing_else(content: Content) -> None:
    altered = next(sample for sample in content.samples if sample.altered_name)
    assert altered.altered_name is not None
    entries = [{"identityType": "emailAddress", "identityHash": "x"}, {"identityType": "name", "identityHash": "Ada"}]
    document = {"name": "Badge", "credentialSubject": {"id": "x", "identifier": entries}, "proof": [{"a": 1}]}

    changed = renamed(document, altered.altered_name)

    assert changed["credentialSubject"]["identifier"][1]["identityHash"] == "Ida Example"
    assert renamed(changed, "Ada") == document
    genuine = "Ada Example"
    assert sum(a != b for a, b in zip(genuine, altered.altered_name, strict=True)) == 1


def test_a_document_without_a_name_cannot_be_altered() -> None:
    with pytest.raises(Failure, match="holds no name"):
        renamed({"credentialSubject": {}}, "Ida")


def test_the_w3c_vector_is_theirs_byte_for_byte() -> None:
    document = json.loads((FOLDER / "foreign" / "w3c-vc-di-eddsa.json").read_bytes())
    proof = document["proof"]

    assert proof["cryptosuite"] == "eddsa-jcs-2022"
    # The published hash of the document without its proof (docHashJCS.txt); JCS of these ASCII members is sorted JSON.
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    canonical = json.dumps(unsecured, sort_keys=True, separators=(",", ":")).encode()
    assert hashlib.sha256(canonical).hexdigest() == DOCUMENT_HASH
    assert proof["proofValue"].startswith("z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfj")


DOCUMENT_HASH = "59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19"


def test_the_stranger_signs_with_a_key_that_only_it_had() -> None:
    command = [sys.executable, "-P", str(FOLDER / "foreign_issuer.py")]
    first, second = (json.loads(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(2))

    assert first["issuer"]["id"] != second["issuer"]["id"]
    assert first["proof"]["verificationMethod"].startswith(first["issuer"]["id"] + "#")
    assert DidKeyResolver().resolve(first["issuer"]["id"]).id == first["issuer"]["id"]


def test_content_that_is_not_there_is_named() -> None:
    with pytest.raises(Failure, match="name its folder with --content"):
        read_content(FOLDER / "nowhere")
