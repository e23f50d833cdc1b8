"""Options that many commands share."""

from typing import Annotated

from cyclopts import Parameter

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Answer in JSON, for machines.")]
Key = Annotated[
    str | None,
    Parameter(
        name="--key",
        help="The API key to act with; other processes can see it, so CREDLEDGER_API_KEY is better.",
        show_default=False,
    ),
]
Wish = Annotated[
    str | None,
    Parameter(name="--idempotency-key", help="Names the wish, so that it may be sent again.", show_default=False),
]
