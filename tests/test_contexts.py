"""The pinned contexts: their bytes, what is unknown, and that no library's code runs to read them."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from ledger import contexts
from ledger.proofs import terms

SOURCE = Path(__file__).parents[1] / "shared"


@pytest.mark.parametrize("url", sorted(contexts.KNOWN))
def test_each_known_context_is_a_json_ld_document(url: str) -> None:
    assert "@context" in contexts.context(url)
    assert contexts.digest(url) == hashlib.sha256(contexts.content(url)).hexdigest()


def test_credentials_v2_has_the_bytes_that_the_recommendation_names() -> None:
    assert contexts.digest(contexts.V2) == "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"


def test_a_context_with_one_other_byte_stops_the_start() -> None:
    raw = contexts.content(contexts.OPEN_BADGES)

    with pytest.raises(contexts.ContextChanged, match=r"context-3\.0\.3"):
        contexts.matching(raw + b" ", hashlib.sha256(raw).hexdigest(), contexts.OPEN_BADGES)


def test_an_unknown_context_is_named_and_never_fetched() -> None:
    with pytest.raises(contexts.UnknownContext) as caught:
        contexts.context("https://evil.example/context")

    assert caught.value.url == "https://evil.example/context"


def test_reading_every_context_runs_no_code_of_the_packages_that_hold_them() -> None:
    script = (
        "import sys; from ledger import contexts; contexts.check();"
        "print([m for m in sys.modules if m.startswith(('openbadgeslib', 'pyld'))])"
    )

    ran = subprocess.run([sys.executable, "-c", script], cwd=SOURCE, capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"


def test_no_pinned_context_defines_a_term_that_would_turn_our_uris_into_others() -> None:
    for url in contexts.KNOWN:
        assert not terms.names([url]) & {"http", "https", "urn", "did", "mailto", "tel", "data"}, url


def test_a_copy_that_was_changed_leaves_the_context_as_it_is() -> None:
    contexts.context(contexts.V2)["@context"]["name"] = "https://evil.example/name"

    assert contexts.context(contexts.V2)["@context"]["name"] == "https://schema.org/name"
