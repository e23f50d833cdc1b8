"""`credledger erasures`: what was erased must stay erased, also after a restore."""

from cyclopts import App

from ledger.cli.keys import caller
from ledger.cli.options import AsJson, Key, Wish
from ledger.cli.speaking import say, say_json

app = App(name="erasures", help="Erasures: apply them again after a restore.")


@app.command
def reapply(*, idempotency_key: Wish = None, key: Key = None, json: AsJson = False) -> None:
    """Erase again whatever the list outside the backups says was erased. Issuance does so at every start, too."""
    with caller(key) as issuance:
        done = issuance.post("/v1/erasures/reapplication", key=idempotency_key)
    if json:
        say_json(done)
        return
    say(f"{done['listed']} erasures are listed; {done['reapplied']} had come back and were erased again.")
    if done["unrecorded"]:
        say(f"{done['unrecorded']} of them were in no event of this log; they were recorded anew.", "yellow")
