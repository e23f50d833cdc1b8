"""Achievements: the wish, its Open Badges document, the European elements, and what is refused with which pointer."""

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.credentials.contexts import undefined_in
from tests.credentials.samples import changed, degree
from tests.credentials.test_baking import png

from issuance.achievements import (
    PublishAchievement,
    achievement_document,
    achievement_from_ob3,
    details_of,
    is_open_badges,
    published,
)
from issuance.achievements.rules import check_document
from ledger.credentials.document import CONTEXTS
from ledger.credentials.microcredential import ects_estimate, eu_elements, hours, price_per_ects, workload
from ledger.credentials.open_badges import achievement_errors
from ledger.credentials.taxonomy import CREDENTIAL_TYPES, SECTORS
from ledger.errors import Malformed
from ledger.web.validation import convert

URL = "https://ledger.example/achievements/ach_1/versions/1"
Json = dict[str, Any]


def body(**varied: Any) -> Json:
    return {
        "name": "Cloud Foundations",
        "description": "The basics of cloud computing.",
        "criteria": {"narrative": "Pass the **project**."},
    } | varied


def wish(**varied: Any) -> PublishAchievement:
    return convert(body(**varied), PublishAchievement)


def full() -> Json:
    return body(
        credential_type="nanodegree",
        focus_area="cloud_computing",
        criteria={"id": "https://north.example/cloud", "narrative": "# All of it"},
        image="data:image/png;base64," + base64.b64encode(png()).decode(),
        tags=["cloud", "devops"],
        alignments=[
            {
                "target_name": "cloud technologies",
                "target_url": "http://data.europa.eu/esco/skill/bd14968e-e409-45af-b362-3495ed7b10e0",
                "target_framework": "ESCO",
                "target_type": "ext:ESCO",
            },
            {
                "target_name": "Computer Systems Engineers",
                "target_url": "https://www.onetonline.org/link/summary/15-1299.08",
                "target_framework": "O*NET",
                "target_code": "15-1299.08",
            },
            {
                "target_name": "Cloud item",
                "target_url": "https://case.example/items/1",
                "target_framework": "CASE",
                "target_type": "CFItem",
                "target_description": "An item.",
            },
        ],
        field_of_study="Computing",
        specialization="Cloud",
        human_code="CL-1",
        creator={"id": "https://guild.example", "name": "The Guild", "url": "https://guild.example"},
        credits_available=4.5,
        in_language="en-GB",
        version="2026",
        result_descriptions=[
            {
                "name": "Grade",
                "key": "grade",
                "result_type": "LetterGrade",
                "allowed_values": ["C", "B", "A"],
                "required_value": "C",
            },
            {
                "name": "Project",
                "result_type": "RubricCriterionLevel",
                "required_level": "good",
                "levels": [{"name": "Good", "key": "good", "points": "3"}, {"name": "Best", "points": "4"}],
            },
        ],
        related=[{"id": "https://ledger.example/achievements/ach_1/versions/0", "in_language": "fr"}],
        other_identifiers=[{"identifier": "X-1", "identifier_type": "ext:CourseCode"}],
        learning_outcomes=["Deploys a service."],
        workload_hours={"min": 65, "max": "260"},
        ects="2.5",
        eqf_level=5,
        assessments=[
            {"method": "project", "weight_percent": 60, "supervision": "online", "grading": "rubric"},
            {"method": "final_exam", "weight_percent": 40},
        ],
        participation_form="online",
        delivery_mode="blended",
        quality_assurance={"kind": "external", "body": "Quality Board"},
        prerequisites="None.",
        country="NO",
        region="Troms",
        supervision_and_identity="supervised_online",
        stackability="stackable",
        further_information="https://north.example/more",
        price={"min": 100, "max": 2000, "currency": "USD"},
        duration={"min": 3, "max": 6, "unit": "months", "hours_per_week_min": 5, "hours_per_week_max": 10},
        language="en",
        provider={"name": "North College", "platform": "Campus", "platform_label": "Nanodegree"},
    )


def test_the_smallest_achievement_becomes_exactly_this_document() -> None:
    assert achievement_document(wish(), URL, 1) == {
        "id": URL,
        "type": ["Achievement"],
        "name": "Cloud Foundations",
        "description": "The basics of cloud computing.",
        "criteria": {"narrative": "Pass the **project**."},
        "image": {"id": f"{URL}/image.png", "type": "Image", "caption": "Badge: Cloud Foundations"},
        "version": "1",
    }


def test_every_field_stands_in_the_document_or_in_the_details() -> None:
    event, picture = published(wish(**full()), URL, 2)

    assert achievement_errors(event.document) == []
    assert event.document["achievementType"] == "ext:Nanodegree"
    assert event.document["creditsAvailable"] == 4.5
    assert event.document["resultDescription"][0]["id"] == f"{URL}#grade"
    assert event.document["resultDescription"][1] == {
        "id": f"{URL}#result-2",
        "type": ["ResultDescription"],
        "name": "Project",
        "resultType": "RubricCriterionLevel",
        "requiredLevel": f"{URL}#result-2-good",
        "rubricCriterionLevel": [
            {"id": f"{URL}#result-2-good", "type": ["RubricCriterionLevel"], "name": "Good", "points": "3"},
            {"id": f"{URL}#result-2-level-2", "type": ["RubricCriterionLevel"], "name": "Best", "points": "4"},
        ],
    }
    assert [one["targetFramework"] for one in event.document["alignment"]] == ["ESCO", "O*NET", "CASE"]
    assert event.details["workload_hours"] == {"min": "65", "max": "260"}
    assert event.details["assessments"][0]["weight_percent"] == "60"
    assert (event.details["sector"], event.details["focus"]) == ("technology", "Cloud computing")
    assert (picture is not None, event.image_media_type) == (True, "image/png")
    assert picture is not None
    assert picture.data == png()


def test_nothing_in_a_published_achievement_is_undefined_in_the_contexts() -> None:
    event, _ = published(wish(**full()), URL, 2)

    assert undefined_in({"@context": list(CONTEXTS), **event.document}) == set()


@pytest.mark.parametrize("kind", CREDENTIAL_TYPES)
def test_the_credential_type_decides_the_achievement_type_unless_one_is_given(kind: str) -> None:
    document = achievement_document(wish(credential_type=kind), URL, 1)
    given_document = achievement_document(wish(credential_type=kind, achievement_type="Course"), URL, 1)

    assert document["achievementType"] == CREDENTIAL_TYPES[kind].achievement_type
    assert given_document["achievementType"] == "Course"


@pytest.mark.parametrize(
    ("varied", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": "two\nlines"}, "/name"),
        ({"name": "  "}, "/name"),
        ({"name": "evil \u202e txet"}, "/name"),
        ({"description": "bell \x07"}, "/description"),
        ({"criteria": {}}, "/criteria"),
        ({"criteria": {"id": "north.example"}}, "/criteria/id"),
        ({"achievement_type": "Nanodegree"}, "/achievement_type"),
        ({"credential_type": "diploma"}, "/credential_type"),
        ({"colour": "red"}, "/colour"),
        ({"credits_available": 4.555}, "/credits_available"),
        ({"credits_available": "1e3"}, "/credits_available"),
        ({"credits_available": -1}, "/credits_available"),
        ({"credits_available": 10_000}, "/credits_available"),
        ({"ects": "many"}, "/ects"),
        ({"eqf_level": 9}, "/eqf_level"),
        ({"workload_hours": {"min": 9, "max": 8}}, "/workload_hours/max"),
        ({"price": {"min": 1, "max": 2, "currency": "usd"}}, "/price/currency"),
        ({"duration": {"min": 2, "max": 1, "unit": "weeks"}}, "/duration/max"),
        ({"duration": {"min": 1, "max": 2, "unit": "weeks", "hours_per_week_min": 2}}, "/duration/hours_per_week_max"),
        ({"assessments": [{"method": "quiz", "weight_percent": 99}]}, "/assessments"),
        ({"assessments": [{"method": "oracle"}]}, "/assessments/0/method"),
        ({"sector": "healthcare", "focus_area": "devops"}, "/sector"),
        ({"focus_area": "alchemy"}, "/focus_area"),
        ({"tags": ["a", "a"]}, "/tags"),
        ({"alignments": [{"target_name": "x", "target_url": "ftp://x"}]}, "/alignments/0/target_url"),
        ({"in_language": "english"}, "/in_language"),
        ({"country": "Norway"}, "/country"),
        ({"image": "http"}, "/image"),
        ({"image": "data:image/png;base64,AAAA"}, "/image"),
        (
            {"result_descriptions": [{"name": "G", "result_type": "LetterGrade", "required_level": "x"}]},
            "/result_descriptions/0/required_level",
        ),
        (
            {
                "result_descriptions": [
                    {"name": "G", "result_type": "LetterGrade", "allowed_values": ["A"], "required_value": "B"}
                ]
            },
            "/result_descriptions/0/required_value",
        ),
        (
            {"result_descriptions": [{"name": "G", "key": "g", "result_type": "Status"}] * 2},
            "/result_descriptions/1/key",
        ),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_pointer(varied: Json, pointer: str) -> None:
    with pytest.raises(Malformed) as refused:
        published(wish(**varied), URL, 1)

    assert [fault.pointer for fault in refused.value.errors] == [pointer]


def test_every_rule_that_is_broken_is_named_at_once() -> None:
    with pytest.raises(Malformed) as refused:
        published(wish(ects="x", tags=["a", "a"], price={"min": 2, "max": 1, "currency": "EUR"}), URL, 1)

    assert {fault.pointer for fault in refused.value.errors} == {"/ects", "/tags", "/price/max"}


def test_equal_alignments_are_written_once() -> None:
    alignment = {"target_name": "x", "target_url": "https://x.example"}

    assert len(achievement_document(wish(alignments=[alignment] * 9), URL, 1)["alignment"]) == 1


def test_seven_parts_that_no_reader_can_tell_apart_are_refused() -> None:
    crowd = [{"type": ["Alignment"], "inner": [{"value": str(number)}]} for number in range(7)]

    with pytest.raises(Malformed) as refused:
        check_document({"id": URL, "alignment": crowd})

    assert [fault.pointer for fault in refused.value.errors] == ["/alignment/6"]


def test_an_open_badges_achievement_is_taken_as_it_is() -> None:
    sent = {name: value for name, value in degree().items() if name != "endorsement"}
    sent["creator"] = {"id": "https://1edtech.edu/issuers/565049", "type": ["Profile"], "name": "1EdTech University"}
    assert is_open_badges(sent)
    assert not is_open_badges(body())

    made = achievement_document(achievement_from_ob3({"@context": [], **sent}), URL, 1)

    assert made.pop("related") == [{"id": sent["id"], "type": ["Related"]}]
    assert made.pop("version") == "1"
    assert made == {**sent, "id": URL, "creditsAvailable": 36}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/criteria", {}),
        ("/name", 7),
        ("/name", "x" * 300),
        ("/achievementType", "Nanodegree"),
        ("/endorsement", "x"),
        ("/otherProperty", "x"),
        ("/image/id", "data:text/html;base64,AAAA "),
        ("/alignment/1/targetUrl", "ftp://x.example"),
        ("/resultDescription/1/rubricCriterionLevel/0/name", "x" * 300),
        ("/creator/address", {"type": ["Address"]}),
        ("/tag/1", "x" * 61),
    ],
)
def test_a_document_that_cannot_be_taken_is_refused_with_its_own_pointer(pointer: str, value: Any) -> None:
    sent = {name: value for name, value in degree().items() if name != "endorsement"}
    sent["creator"] = {"id": "https://1edtech.edu/issuers/565049", "type": ["Profile"], "name": "1EdTech University"}

    with pytest.raises(Malformed) as refused:
        achievement_from_ob3(changed(sent, pointer, value))

    assert [fault.pointer for fault in refused.value.errors] == [pointer]


def test_short_courses_are_8_to_18_hours_and_long_ones_65_to_260() -> None:
    short = hours({"min": "4", "max": "6", "unit": "weeks", "hours_per_week_min": "2", "hours_per_week_max": "3"})
    long = hours({"min": "3", "max": "6", "unit": "months", "hours_per_week_min": "5", "hours_per_week_max": "10"})

    assert short is not None
    assert long is not None
    assert (short.shown(0), long.shown(0)) == (("8", "18"), ("65", "260"))
    assert ects_estimate(short).shown() == ("0.3", "0.7")
    assert ects_estimate(long).shown() == ("2.2", "10.4")
    assert ects_estimate(short).shown(2) == ("0.27", "0.72")


def test_figures_that_are_not_known_are_not_made_up() -> None:
    assert hours({"min": "4", "max": "6", "unit": "weeks"}) is None
    assert workload({}) is None
    assert price_per_ects({"price": {"min": "100", "max": "2000"}}) is None
    found = price_per_ects({"price": {"min": "100", "max": "2000"}, "ects": "2.5"})
    assert found is not None
    assert found.shown(2) == ("40", "800")


def test_the_european_elements_are_told_one_by_one() -> None:
    bare = {one.element for one in eu_elements(achievement_document(wish(), URL, 1), {}) if one.present}
    event, _ = published(wish(**full()), URL, 1)
    told = eu_elements(event.document, event.details)

    assert bare == {"learner", "awarding_body", "date", "title"}
    assert all(one.present for one in told)
    assert sum(one.mandatory for one in told) == 11
    assert {one.element for one in told if not one.mandatory} == {
        "prerequisites",
        "supervision_and_identity",
        "grade",
        "stackability",
        "further_information",
    }


TEXTS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(
    name=TEXTS,
    tags=st.lists(TEXTS, max_size=3, unique=True),
    credit=st.none() | st.decimals(0, "9999.99", places=2).map(str),
    area=st.none() | st.sampled_from([area for facts in SECTORS.values() for area in facts.focus_areas]),
)
def test_any_wish_gives_a_valid_document_that_reads_back_as_the_same(
    name: str, tags: list[str], credit: str | None, area: str | None
) -> None:
    given_wish = wish(name=name, tags=tags, credits_available=credit, focus_area=area)
    document = achievement_document(given_wish, URL, 1)
    again = achievement_document(achievement_from_ob3(document), URL, 1)

    assert achievement_errors(document) == []
    assert again == {**document, "related": [{"id": URL, "type": ["Related"]}]}
    assert msgspec.json.decode(msgspec.json.encode(details_of(given_wish))) == details_of(given_wish)
