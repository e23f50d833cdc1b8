"""`credledger verify`: a document, JWT, badge picture or address, judged by the registry's verification."""

import base64
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from cyclopts import Parameter

from ledger.cli.api import Api
from ledger.cli.failure import REFUSED, USAGE, Failure
from ledger.cli.options import AsJson
from ledger.cli.place import Place
from ledger.cli.speaking import MARKS, say, say_json

LARGEST_BYTES: Final = 5_000_000
PNG: Final = b"\x89PNG\r\n\x1a\n"
JWT: Final = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")


def question(what: str, recipient: dict[str, str] | None = None) -> bytes:
    """The body of `POST /v1/verifications` for a file, `-` (standard input) or an address, and for the
    person whose it should be. Raises Failure."""
    asked: dict[str, Any] = {"url": what} if re.match(r"https?://", what) else question_of(_content(what))
    return msgspec.json.encode({**asked, "recipient": recipient} if recipient else asked)


def question_of(content: bytes) -> dict[str, Any]:
    """The body for the bytes of a file, by what they are. A document goes in byte for byte: what a parser would mend
    (a member twice, another spelling of a number) is for the verification to see. Raises Failure."""
    text = content.removeprefix(b"\xef\xbb\xbf").strip()
    if content.startswith(PNG) or text.startswith(b"<"):
        return {"image": base64.b64encode(content).decode()}
    if JWT.fullmatch(text):
        return {"jwt": text.decode()}
    try:
        document = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Failure(
            "This is neither a JSON document, a JWT, nor a PNG or SVG picture: verify the file as it was received.",
            USAGE,
        ) from error
    if not isinstance(document, dict):
        raise Failure("A credential is a JSON object; this is another JSON value.", USAGE)
    return {"credential": msgspec.Raw(text)}


def show(verdict: dict[str, Any]) -> None:
    """The verdict for a person: one line a check, then the whole."""
    for check in verdict["checks"]:
        mark, style = MARKS.get(check["status"], ("?", "yellow"))
        suite = f" ({check['cryptosuite']})" if check.get("cryptosuite") else ""
        say(f"{mark} {check['name']}{suite}: {check['detail']}", style)
    if not verdict["verified"]:
        say("Not verified.", "bold red")
    elif verdict["issuer_recognised"]:
        say("Verified.", "bold green")
    else:
        say("Sound, but nobody here knows the issuer.", "bold yellow")


def _content(what: str) -> bytes:
    try:
        with sys.stdin.buffer if what == "-" else Path(what).open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise Failure(f"{what} cannot be read: {error.strerror}.", USAGE) from error
    if len(content) > LARGEST_BYTES:
        raise Failure(f"{what} is larger than {LARGEST_BYTES // 1_000_000} MB, which no credential is.", USAGE)
    return content


def verify(
    what: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    email: str | None = None,
    did: str | None = None,
    student_id: str | None = None,
    name: str | None = None,
    json: AsJson = False,
) -> int:
    """Verify a credential: a JSON document, JWT, PNG or SVG badge, `-` for standard input, or an address.

    Parameters
    ----------
    what: str
        The file or address.
    email: str
        Ask as well whether it belongs to the person with this e-mail address; neither stored nor logged.
    did: str
        The same for a DID.
    student_id: str
        The same for a student id.
    name: str
        The same for a name.
    """
    asked = {"email": email, "did": did, "student_id": student_id, "name": name}
    body = question(what, {kind: value for kind, value in asked.items() if value is not None})
    with Api(Place.here().address("registry")) as registry:
        verdict = registry.ask("/v1/verifications", body)
    if json:
        say_json(verdict)
    else:
        show(verdict)
    return 0 if verdict["verified"] else REFUSED
