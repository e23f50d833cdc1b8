"""`/verify`: paste, upload or link a credential and read, check by check, what holds. A plain form, better with script.

What is handed in is judged and forgotten: it is neither stored nor logged, and stands in no address.
"""

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency

from ledger.errors import Malformed, Refused
from ledger.web import Pages, public
from registry.http.answers import AnyRequest, page_answer
from registry.parts import Registry
from registry.verdicts import Shown, shown
from registry.verification.content import Recipient

FORM_LIMIT = 6 * 1024 * 1024
RECIPIENT_LIMIT = 200
UNKEPT = {"cache-control": "no-store", "vary": "Accept"}


@get("/verify", include_in_schema=False, opt=public(cross_origin=False))
async def verify_page(request: AnyRequest, pages: NamedDependency[Pages]) -> Response[bytes]:
    """The empty form."""
    return page_answer(request, pages, "verify.html", result=None, problem=None)


@post("/verify", include_in_schema=False, opt=public(cross_origin=False), status_code=200,
      request_max_body_size=FORM_LIMIT)  # fmt: skip
async def verify_form(
    request: AnyRequest, registry: NamedDependency[Registry], pages: NamedDependency[Pages]
) -> Response[bytes]:
    """The verdict on what the form holds."""
    form = await request.form()
    result, problem = None, None
    try:
        result = await _judged(registry, form)
    except (Malformed, Refused) as error:
        problem = error.detail
    return page_answer(request, pages, "verify.html", headers=UNKEPT, result=result, problem=problem)


async def _judged(registry: Registry, form: Any) -> Shown:
    file, text, url = form.get("file"), form.get("text"), form.get("url")
    whose = _recipient(form.get("recipient"))
    if isinstance(file, UploadFile) and (content := await file.read()):
        return shown(await registry.verifier.content(content, whose))
    if isinstance(text, str) and text.strip():
        return shown(await registry.verifier.content(text.encode(), whose))
    if isinstance(url, str) and url.strip():
        return shown(await registry.verifier.url(url, whose))
    raise Malformed("Paste a credential, choose a file or give an address.")


def _recipient(text: Any) -> Recipient | None:
    """Whom a visitor names: a DID and an e-mail address look like what they are, anything else is a name."""
    if not isinstance(text, str) or not text.strip():
        return None
    named = text.strip()
    if len(named) > RECIPIENT_LIMIT:
        raise Malformed(f"A person is named by at most {RECIPIENT_LIMIT} characters.")
    if named.startswith("did:"):
        return Recipient(did=named)
    return Recipient(email=named) if "@" in named else Recipient(name=named)


HANDLERS = [verify_page, verify_form]
