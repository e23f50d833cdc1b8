"""The event catalogue as Markdown: `python -m ledger.events.catalogue` prints what shared/README.md holds between its
marks. Generated, so that names are written down once."""

import sys
from inspect import getdoc

import msgspec

from ledger.events import EVENTS, Event, public_type

OWNERS = {
    "issuance": "`institution` `access` `achievement` `learner` `award` `result` `job`",
    "revocation": "`standing` `list` `lease`",
    "registry": "`ledger`",
}


def catalogue() -> str:
    """A table of every event type: its public name, its fields (private ones marked), what it says."""
    lines = ["| event (public type) | fields | what it says |", "|---|---|---|"]
    lines += [_row(event_type) for event_type in EVENTS.values()]
    owners = [f"- **{service}** appends to {categories}" for service, categories in OWNERS.items()]
    return "\n".join([*lines, "", "Stream categories and who appends to them:", *owners])


def _row(event_type: type[Event]) -> str:
    fields = [
        f"`{field.name}`{' ·private·' if field.name in event_type.PRIVATE else ''}"
        for field in msgspec.structs.fields(event_type)
    ]
    text = " ".join((getdoc(event_type) or "").split())
    said = text.split(". ")[0].rstrip(".") if not text.startswith(event_type.__name__) else ""
    clear = " *(public statement: its log entry is the clear text)*" if event_type.STATEMENT else ""
    return f"| `{event_type.TOPIC}` (`{public_type(event_type)}`) | {', '.join(fields)} | {said}{clear} |"


if __name__ == "__main__":
    sys.stdout.write(catalogue() + "\n")
