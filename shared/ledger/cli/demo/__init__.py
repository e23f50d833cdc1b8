"""`credledger demo`: what lies in `deploy/demo` becomes institutions, awards and samples, over the public API."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ledger.cli.demo.loading import load_demo
from ledger.cli.options import AsJson
from ledger.cli.place import Place
from ledger.cli.speaking import say, say_json

__all__ = ["demo"]


def demo(
    *,
    if_needed: Annotated[bool, Parameter(negative="")] = False,
    content: Path | None = None,
    json: AsJson = False,
) -> None:
    """Load the demo: invented institutions, their catalogue, a class with its awards, and samples to verify.

    Killed and run again, it goes on where it stopped.

    Parameters
    ----------
    if_needed: bool
        Do nothing where it was loaded already.
    content: Path
        The folder of the demo's content; default `deploy/demo` of this project.
    """
    loaded = load_demo(Place.here(), content, if_needed=if_needed)
    if json:
        say_json(loaded)
    elif loaded.already:
        say("The demo was loaded already.")
    else:
        say(f"Loaded {loaded.achievements} achievements and {loaded.awards} awards: {loaded.page}")
