"""`/demo`: credentials good, altered, revoked and foreign, one click each; every click runs the real verification.

The demo loader leaves `demo.json` and the samples in the demo folder; without one, the page says how to load it.
"""

from pathlib import Path

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from ledger.errors import NotFound
from ledger.web import Pages, public
from registry.http.answers import AnyRequest, page_answer
from registry.http.awards import public_award
from registry.parts import Registry
from registry.verdicts import shown

INDEX = "demo.json"


class Sample(msgspec.Struct, frozen=True):
    """One credential of the demo: `file` lies beside the index; `expect` says in a sentence what will be found."""

    name: str
    title: str
    story: str
    expect: str
    file: str
    credential_url: str | None = None
    award_id: str | None = None


class Demo(msgspec.Struct, frozen=True):
    """The index."""

    samples: list[Sample] = []


@get("/demo", include_in_schema=False, opt=public(cross_origin=False))
async def demo_page(
    request: AnyRequest, registry: NamedDependency[Registry], pages: NamedDependency[Pages]
) -> Response[bytes]:
    """The samples, one click each."""
    return page_answer(request, pages, "demo.html", demo=read_demo(registry.settings.demo_folder))


@get("/demo/{name:str}", include_in_schema=False, opt=public(cross_origin=False))
async def demo_sample(
    request: AnyRequest, name: FromPath[str], registry: NamedDependency[Registry], pages: NamedDependency[Pages]
) -> Response[bytes]:
    """The verdict on one sample, as of now, and the history of its award."""
    folder = registry.settings.demo_folder
    samples = read_demo(folder).samples
    sample = next((one for one in samples if one.name == name), None)
    if sample is None or folder is None:
        raise NotFound("There is no such sample in the demo.")
    result = shown(await registry.verifier.content((folder / Path(sample.file).name).read_bytes()))
    award = await public_award(registry, sample.award_id) if sample.award_id else None
    following = samples[(samples.index(sample) + 1) % len(samples)]
    return page_answer(
        request, pages, "demo_sample.html", sample=sample, result=result, award=award, following=following
    )


def read_demo(folder: Path | None) -> Demo:
    """The index, empty where no demo was loaded."""
    if folder is None or not (folder / INDEX).is_file():
        return Demo()
    return msgspec.json.decode((folder / INDEX).read_bytes(), type=Demo)


HANDLERS = [demo_page, demo_sample]
