"""`/v1/jobs`: many wishes as one list, checked first, then carried out row by row; watched, paused, cancelled."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from issuance import intake
from issuance.http.wanted_jobs import (
    CSV,
    FORMS,
    NDJSON,
    WantedJob,
    check_mapping,
    check_scope,
    mapping_for,
    sent_in,
    wanted_job,
)
from issuance.jobs import rows, rules
from issuance.jobs.answers import JobFacts, JobProgress, JobRow, facts_of, progress_of
from issuance.jobs.records import Fault
from issuance.jobs.rows import Sent
from issuance.jobs.rules import JobState
from issuance.mapping import versions
from issuance.parts import Issuance, now, own_tenant
from ledger import errors, ids
from ledger.codec import Recorded
from ledger.events import JobChecked, JobCreated, JobResumed, JobStarted
from ledger.vault import Erased
from ledger.web.authority import caller_of
from ledger.web.paging import Page, Paging
from ledger.web.routes import requires
from ledger.web.wishes import WishKey, replay_headers

BODY_LIMIT = 32 * 1024 * 1024
EVENTS = "text/event-stream"
LOOK_SECONDS, BEAT_SECONDS = 0.25, 10.0
Said = Literal[
    "ready",
    "held",
    "nothing",
    "repeated",
    "refused",
    "awarded",
    "recorded",
    "returned",
    "changed",
    "proposed",
    "erased",
]  # an outlook or an outcome


@post("/v1/jobs", tags=["Jobs"], operation_id="createJob", status_code=202, request_max_body_size=BODY_LIMIT,
      dependencies={"wanted": Provide(wanted_job)},
      opt=requires("jobs:write", errors=(errors.NotFound, errors.Refused), texts=FORMS))  # fmt: skip
async def create_job(
    request: Request[Any, Any, Any],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
    wanted: NamedDependency[WantedJob],
) -> Response[JobFacts]:
    """Send a list: CSV (`text/csv`, its first line names the columns) or NDJSON (`application/x-ndjson`, each line the
    body of a single request). Every row is judged first; then, unless it is a dry run, each is carried out by itself.
    A list of the kind `mapped` is an export as it is, also OneRoster's zip, which the mapping reads.

    The same Idempotency-Key with the same list gives the same job, so a list that is sent again does nothing twice.
    """
    tenant = own_tenant(caller_of(request))
    check_scope(caller_of(request), wanted.kind)
    decided = issuance.wish(request, wish, tenant)
    if (earlier := await issuance.store.earlier(decided)) is not None:
        return _answer(list(earlier.events[:1]), replayed=True)
    mapping = await mapping_for(issuance, caller_of(request), wanted) if wanted.kind == "mapped" else None
    sent = await sent_in(request, wanted, mapping)
    if wanted.achievement_id is not None:
        await issuance.history(f"achievement/{wanted.achievement_id}", tenant, "achievement")
    job_id = ids.derived_id(issuance.settings.server_secret, "job", decided.command)
    await issuance.records.keep(tenant, job_id, sent)
    created = JobCreated(
        kind=wanted.kind,
        form=sent.form,
        rows=len(sent.rows),
        dry_run=wanted.dry_run,
        digest=_digest(issuance, sent),
        achievement_id=wanted.achievement_id,
        on_duplicate=wanted.on_duplicate,
        reason_code=wanted.reason_code,
        mapping=mapping.id if mapping else None,
        mapping_version=mapping.version if mapping else None,
    )
    at = now()
    decision = await issuance.store.decide(
        f"job/{job_id}", lambda history: rules.create(created, history, at=at), wish=decided
    )
    return _answer(list(decision.events), replayed=decision.replayed)


@get("/v1/jobs", tags=["Jobs"], operation_id="listJobs", opt=requires("jobs:read"))
async def list_jobs(
    request: Request[Any, Any, Any], issuance: NamedDependency[Issuance], paging: NamedDependency[Paging]
) -> Response[Page[JobFacts]]:
    """The caller's own jobs, newest first."""
    await issuance.caught_up()
    before = int(paging.after[0]) if paging.after else 2**62
    found = await issuance.store.pool.fetch(LIST, own_tenant(caller_of(request)), before, paging.limit + 1)
    jobs = [await issuance.store.load(f"job/{row['job_id']}") for row in found]
    return paging.answer([_facts(history) for history in jobs], place=lambda job: [job.position])


@get("/v1/jobs/{job_id:str}", tags=["Jobs"], operation_id="getJob",
     opt=requires("jobs:read", errors=(errors.NotFound,)))  # fmt: skip
async def get_job(
    request: Request[Any, Any, Any], job_id: FromPath[str], issuance: NamedDependency[Issuance]
) -> Response[JobProgress]:
    """A job, and how far it has come."""
    return Response(await _progress(issuance, job_id, own_tenant(caller_of(request))))


@get("/v1/jobs/{job_id:str}/rows", tags=["Jobs"], operation_id="listJobRows",
     opt=requires("jobs:read", errors=(errors.NotFound,)))  # fmt: skip
async def list_job_rows(
    request: Request[Any, Any, Any],
    job_id: FromPath[str],
    issuance: NamedDependency[Issuance],
    paging: NamedDependency[Paging],
    said: Annotated[Said | None, QueryParameter(description="Only rows with this outcome, or outlook so far.")] = None,
) -> Response[Page[JobRow]]:
    """What the check foresaw of each row and what became of it, in the order of the list."""
    await issuance.history(f"job/{job_id}", own_tenant(caller_of(request)), "job")
    after = int(paging.after[0]) if paging.after else 0
    found = await issuance.records.page(job_id, after, paging.limit + 1, said)
    return paging.answer([_row(row) for row in found], place=lambda row: [row.row])


@get("/v1/jobs/{job_id:str}/errors", tags=["Jobs"], operation_id="getJobErrors", media_type=CSV,
     opt=requires("jobs:read", errors=(errors.NotFound, Erased)))  # fmt: skip
async def get_job_errors(
    request: Request[Any, Any, Any], job_id: FromPath[str], issuance: NamedDependency[Issuance]
) -> Response[bytes]:
    """The refused rows as they were sent, each with its reason (column or member `error`), in the form in which they
    came: mend them there and send that list. They can be had until the job's retention ends."""
    tenant = own_tenant(caller_of(request))
    job = rules.existing(await issuance.history(f"job/{job_id}", tenant, "job"))
    headings = await issuance.records.headings(tenant, job_id)
    failed = [(cells, _sentence(fault)) async for cells, fault in issuance.records.refused(tenant, job_id)]
    form: Any = job.created.form
    name = f"{job_id}-errors.{form}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"}
    media_type = CSV if form == "csv" else NDJSON
    return Response(rows.error_list(form, headings, failed), media_type=media_type, headers=headers)


@get("/v1/jobs/{job_id:str}/progress", tags=["Jobs"], operation_id="watchJob", media_type=EVENTS,
     opt=requires("jobs:read", errors=(errors.NotFound,)))  # fmt: skip
async def watch_job(
    request: Request[Any, Any, Any], job_id: FromPath[str], issuance: NamedDependency[Issuance]
) -> Stream:
    """Server-sent events `progress`, each the job as `getJob` shows it, whenever it has come further; ends with the
    job's end, or when it waits to be started or resumed."""
    tenant = own_tenant(caller_of(request))
    await issuance.history(f"job/{job_id}", tenant, "job")
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return Stream(_watched(issuance, job_id, tenant), media_type=EVENTS, headers=headers)


@post("/v1/jobs/{job_id:str}/start", tags=["Jobs"], operation_id="startJob", status_code=200,
      opt=requires("jobs:write", errors=(errors.NotFound, errors.Refused)))  # fmt: skip
async def start_job(
    request: Request[Any, Any, Any],
    job_id: FromPath[str],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[JobFacts]:
    """Carry out a job that was checked."""
    return await _changed(request, job_id, issuance, wish, rules.start)


@post("/v1/jobs/{job_id:str}/pause", tags=["Jobs"], operation_id="pauseJob", status_code=200,
      opt=requires("jobs:write", errors=(errors.NotFound, errors.Refused)))  # fmt: skip
async def pause_job(
    request: Request[Any, Any, Any],
    job_id: FromPath[str],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[JobFacts]:
    """Do nothing more for now. What is under way, a batch at most, is finished."""
    return await _changed(request, job_id, issuance, wish, rules.pause)


@post("/v1/jobs/{job_id:str}/resumption", tags=["Jobs"], operation_id="resumeJob", status_code=200,
      opt=requires("jobs:write", errors=(errors.NotFound, errors.Refused)))  # fmt: skip
async def resume_job(
    request: Request[Any, Any, Any],
    job_id: FromPath[str],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[JobFacts]:
    """Go on with a paused job where it stopped."""
    return await _changed(request, job_id, issuance, wish, rules.resume)


@post("/v1/jobs/{job_id:str}/cancellation", tags=["Jobs"], operation_id="cancelJob", status_code=200,
      opt=requires("jobs:write", errors=(errors.NotFound, errors.Refused)))  # fmt: skip
async def cancel_job(
    request: Request[Any, Any, Any],
    job_id: FromPath[str],
    issuance: NamedDependency[Issuance],
    wish: NamedDependency[WishKey],
) -> Response[JobFacts]:
    """Never do what is left. What was done stays: this cannot be taken back."""
    return await _changed(request, job_id, issuance, wish, rules.cancel)


async def _changed(
    request: Request[Any, Any, Any], job_id: str, issuance: Issuance, wish: WishKey, rule: Any
) -> Response[JobFacts]:
    caller = caller_of(request)
    tenant = own_tenant(caller)
    history = await issuance.history(f"job/{job_id}", tenant, "job")
    created = rules.existing(history).created
    check_scope(caller, created.kind)
    if created.mapping is not None:
        state = await intake.mapping_state(issuance, tenant, created.mapping)
        check_mapping(caller, versions.version_of(state, created.mapping_version))
    at = now()
    decision = await issuance.store.decide(
        f"job/{job_id}", lambda events: rule(events, at=at), wish=issuance.wish(request, wish, tenant)
    )
    history = await issuance.store.load(f"job/{job_id}")
    upto = decision.events[-1].version if decision.events else len(history)
    return _answer(history[:upto], replayed=decision.replayed)


async def _progress(issuance: Issuance, job_id: str, tenant: str) -> JobProgress:
    history = await issuance.history(f"job/{job_id}", tenant, "job")
    job = rules.existing(history)
    began = max(
        (r.recorded_at for r in history if isinstance(r.event, JobChecked | JobStarted | JobResumed)), default=None
    )
    running = None if began is None else (now() - began).total_seconds()
    counts = await issuance.records.counts(job_id)
    return progress_of(job, history[0].recorded_at, counts, running_seconds=running)


async def _watched(issuance: Issuance, job_id: str, tenant: str) -> AsyncIterator[bytes]:
    last, silent = b"", 0.0
    while True:
        progress = await _progress(issuance, job_id, tenant)
        said = msgspec.json.encode(msgspec.structs.replace(progress, eta_seconds=None))
        if said != last:
            yield b"event: progress\ndata: " + msgspec.json.encode(progress) + b"\n\n"
            last, silent = said, 0.0
        elif silent >= BEAT_SECONDS:
            yield b": still here\n\n"
            silent = 0.0
        if progress.state not in rules.ACTIVE:
            return
        await asyncio.sleep(LOOK_SECONDS)
        silent += LOOK_SECONDS


def _answer(history: Any, *, replayed: bool) -> Response[JobFacts]:
    facts = _facts(history)
    headers = {**replay_headers(replayed=replayed), "location": f"/v1/jobs/{facts.id}"}
    return Response(facts, headers=headers)


def _facts(history: list[Recorded]) -> JobFacts:
    job: JobState = rules.existing(history)
    return facts_of(job, history[0].recorded_at)


def _row(row: Any) -> JobRow:
    return JobRow(
        row=row["number"],
        line=row["line"],
        outlook=row["outlook"],
        outcome=row["outcome"],
        award_id=row["award_id"],
        position=row["position"],
        fault=None if row["fault"] is None else msgspec.json.decode(row["fault"], type=Fault),
    )


def _sentence(fault: Fault) -> str:
    """Why, for the column `error`: the sentence and every bad field."""
    fields = [f"{one.pointer}: {one.detail}" for one in fault.errors]
    return f"{fault.detail} ({'; '.join(fields)})" if fields else fault.detail


def _digest(issuance: Issuance, sent: Sent) -> str:
    """What was sent, keyed: a plain hash of a class list could be guessed."""
    return ids.keyed(issuance.settings.server_secret, "credledger/job/v1", sent.digest).hex()


LIST = """
SELECT job_id, position FROM issuance.jobs WHERE tenant = $1 AND position < $2 ORDER BY position DESC LIMIT $3
"""
HANDLERS = [
    create_job,
    list_jobs,
    get_job,
    list_job_rows,
    get_job_errors,
    watch_job,
    start_job,
    pause_job,
    resume_job,
    cancel_job,
]
