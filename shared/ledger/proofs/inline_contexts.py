"""Which `@context` values are accepted: pinned addresses and, in foreign documents, objects of plain terms.

Refused are null contexts, which some libraries obey and others do not, and all that would give meaning to undefined
terms or texts (`@vocab`, `@base`, `@language`, `@direction`), hide members (`@nest`, `@reverse`, index and language
maps) or turn an address into another one (a term named like a scheme).
"""

from typing import Any, Final

from ledger import contexts
from ledger.proofs.problems import MALFORMED, UNKNOWN_CONTEXT, CannotSay, ProofError, pointer

Path = tuple[str | int, ...]

_SCHEMES: Final = frozenset({"http", "https", "urn", "did", "mailto", "tel", "data", "_"})
_DEFINITION: Final = frozenset({"@id", "@type", "@container", "@protected", "@context"})
_CONTAINERS: Final = frozenset({"@set", "@list", "@graph"})
_DEPTH_LIMIT: Final = 8
_ADDRESSES_LIMIT: Final = 16


def screen_context(context: Any, path: Path, *, own: bool, depth: int = 0) -> None:
    """Refuse what is no list of pinned addresses (and, unless `own`, plain terms). Raises ProofError, CannotSay for an
    address that is not pinned."""
    if depth > _DEPTH_LIMIT or (isinstance(context, list) and not 0 < len(context) <= _ADDRESSES_LIMIT):
        raise _refused("A context is nested too deep, too long or empty", path)
    if isinstance(context, str):
        if context not in contexts.KNOWN:
            raise CannotSay(
                f"The context {context[:200]} is not one that this ledger knows.", pointer(path), UNKNOWN_CONTEXT
            )
    elif isinstance(context, list):
        for index, part in enumerate(context):
            if isinstance(part, list):
                raise _refused("A context is an address or an object", (*path, index))
            screen_context(part, (*path, index), own=own, depth=depth)
    elif isinstance(context, dict) and not own:
        for name, definition in context.items():
            _screen_definition(name, definition, (*path, name), depth)
    else:
        raise _refused("A context is an address, or an object that defines terms", path)


def _screen_definition(name: str, definition: Any, path: Path, depth: int) -> None:
    if name == "@version" and definition == 1.1:
        return
    if name == "@protected" and isinstance(definition, bool):
        return
    if name.startswith("@") or not name or any(sign in name for sign in ":/#?") or name.lower() in _SCHEMES:
        raise _refused(f"A context may not define {name[:50]}", path)
    if isinstance(definition, str):
        definition = {"@id": definition}
    if not isinstance(definition, dict) or not definition.keys() <= _DEFINITION:
        raise _refused("A term is defined by an IRI, or by @id, @type, @container, @protected and @context", path)
    _screen_parts(name, definition, path, depth)


def _screen_parts(name: str, definition: dict[str, Any], path: Path, depth: int) -> None:
    target, kind = definition.get("@id", "x:"), definition.get("@type", "@id")
    if not isinstance(target, str) or (
        target.startswith("@") and (name, target) not in (("id", "@id"), ("type", "@type"))
    ):
        raise _refused("A term may stand for an IRI; of the keywords only id and type have another name", path)
    if not isinstance(kind, str) or (kind.startswith("@") and kind not in ("@id", "@vocab", "@json")):
        raise _refused("A term's @type is an IRI, @id, @vocab or @json", path)
    containers = definition.get("@container", [])
    if not all(
        isinstance(c, str) and c in _CONTAINERS for c in (containers if isinstance(containers, list) else [containers])
    ):
        raise _refused("A term's @container is @set, @list or @graph", path)
    if "@context" in definition:
        screen_context(definition["@context"], (*path, "@context"), own=False, depth=depth + 1)


def _refused(detail: str, path: Path) -> ProofError:
    return ProofError(MALFORMED, f"{detail}.", pointer(path))
