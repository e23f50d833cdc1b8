"""What the READMEs say is what the code says."""

import re
from pathlib import Path

from ledger.events.catalogue import catalogue

ROOT = Path(__file__).parent.parent


def test_the_event_catalogue_in_the_readme_is_the_generated_one() -> None:
    text = (ROOT / "shared" / "README.md").read_text()
    found = re.search(r"<!-- catalogue -->\n(.*)\n<!-- /catalogue -->", text, re.DOTALL)

    assert found is not None
    assert found.group(1) == catalogue()


def test_every_link_between_our_documents_leads_somewhere() -> None:
    for document in (*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("docs/*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if not target.startswith("http"):
                assert (document.parent / target).exists(), f"{document.name}: {target}"
