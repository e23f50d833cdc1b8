"""`POST /v1/verifications`: named checks on any credential, ours or another's. Nothing of it is stored or logged."""

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from ledger.errors import Refused
from ledger.web import public
from registry.parts import Registry
from registry.verification.verdict import Verdict
from registry.verification.verifier import Submission

# A picture of 1 MiB is 1.4 million characters of base64.
TEXT_LIMIT = 1_500_000
BODY_LIMIT = 2 * 1024 * 1024


@post(
    "/v1/verifications",
    operation_id="verify",
    opt=public(errors=[Refused], text_limit=TEXT_LIMIT),
    tags=["Verification"],
    status_code=200,
    request_max_body_size=BODY_LIMIT,
)
async def verify(data: JSONBody[Submission], registry: NamedDependency[Registry]) -> Response[Verdict]:
    """Judge a credential: as a document, a JWT, an address or a baked picture, one of them.

    The answer is a list of named checks, each with a sentence. `verified` says that none of those that bear on validity
    failed; `issuer_recognised` apart from it, that an active institution of this registry made the credential. With
    `recipient` it is also judged whether it belongs to that person. Nothing is recorded; asking again is harmless.
    """
    return Response(await registry.verifier.verify(data), headers={"cache-control": "no-store"})


VERIFICATION_HANDLERS = [verify]
