"""The demo, loaded into a running ledger, killed in the middle, loaded again: once everything, each verdict as told."""

import json
from typing import Any

import httpx
import pytest
from tests.cli.conftest import CONTENT, Here, topics

from ledger.cli.demo.content import Content, Sample
from ledger.cli.verify import question_of


def test_a_demo_that_is_loaded_is_left_alone(here: Here, demo: Content) -> None:
    before = topics(here)

    needed = here.run("demo", "--if-needed")
    again = here.run("demo")

    assert (needed.status, needed.out) == (0, "The demo was loaded already.\n")
    assert again.status == 0, again.err
    # Leases of status-list places come and go on their own.
    assert {**topics(here), "lease.granted": 0} == {**before, "lease.granted": 0}


@pytest.mark.parametrize("sample", CONTENT.samples, ids=[sample.name for sample in CONTENT.samples])
def test_every_sample_gets_the_verdict_that_its_text_tells(here: Here, demo: Content, sample: Sample) -> None:
    verdict = here.ledger.verify(**sample_question(here, sample))

    found = {name: verdict["by_name"][name] for name in sample.checks}
    unexpected = {n for n, status in verdict["by_name"].items() if status == "failed" and n not in sample.checks}
    assert found == sample.checks, verdict
    assert unexpected == set(), verdict
    assert (verdict["verified"], verdict["issuer_recognised"]) == (sample.verified, sample.recognised)


def test_the_page_shows_every_sample_and_the_history_of_the_revoked_one(here: Here, demo: Content) -> None:
    page = httpx.get(f"{here.ledger.url('registry')}/demo")
    index = json.loads((here.data / "demo" / "demo.json").read_text())["samples"]
    revoked = next(one for one in index if one["name"] == "revoked")

    history = here.ledger.get("registry", f"/v1/awards/{revoked['award_id']}").json()

    assert [one["title"] for one in index if one["title"] not in page.text] == []
    assert history["standing"] == "revoked"


def test_the_altered_sample_differs_in_one_letter(here: Here, demo: Content) -> None:
    genuine, altered = ((here.data / "demo" / f"{name}.json").read_text() for name in ("genuine", "altered"))

    assert json.loads(genuine) == json.loads(altered.replace("Ida Example", "Ada Example"))
    assert "DEMO" in json.loads(genuine)["name"]


def sample_question(here: Here, sample: Sample) -> dict[str, Any]:
    content = (here.data / "demo" / f"{sample.name}.json").read_bytes()
    question_of(content)
    return {"credential": json.loads(content)}
