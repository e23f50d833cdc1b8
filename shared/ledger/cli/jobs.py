"""`credledger jobs`: lists at work: look, pause, resume, cancel."""

from typing import Any

from cyclopts import App

from ledger.cli.api import Api
from ledger.cli.options import AsJson, Key, Wish
from ledger.cli.place import Place
from ledger.cli.speaking import say, say_json, say_table

app = App(name="jobs", help="Lists at work: list, pause, resume, cancel.")


@app.command(name="list")
def list_jobs(*, key: Key = None, json: AsJson = False) -> None:
    """Your jobs, newest first."""
    place = Place.here()
    with Api(place.address("issuance"), place.institution_key(key)) as issuance:
        jobs = [issuance.get(f"/v1/jobs/{job['id']}") for job in issuance.pages("/v1/jobs")]
    if json:
        say_json(jobs)
    else:
        say_table(jobs, ("id", "kind", "state", "rows", "done", "failed", "eta_seconds", "created_at"))


@app.command(name="pause")
def pause_job(job: str, /, *, key: Key = None, wish: Wish = None, json: AsJson = False) -> None:
    """Do nothing more of a job for now."""
    _change(job, "pause", key, wish, json=json)


@app.command(name="resume")
def resume_job(job: str, /, *, key: Key = None, wish: Wish = None, json: AsJson = False) -> None:
    """Go on with a paused job."""
    _change(job, "resumption", key, wish, json=json)


@app.command(name="cancel")
def cancel_job(job: str, /, *, key: Key = None, wish: Wish = None, json: AsJson = False) -> None:
    """Never do what is left of a job; what was done stays."""
    _change(job, "cancellation", key, wish, json=json)


def _change(job: str, what: str, key: str | None, wish: str | None, *, json: bool) -> None:
    place = Place.here()
    with Api(place.address("issuance"), place.institution_key(key)) as issuance:
        answer: dict[str, Any] = issuance.post(f"/v1/jobs/{job}/{what}", {}, key=wish)
    if json:
        say_json(answer)
    else:
        say(f"The job {job} is {answer['state']}.")
