"""Every bad field, not only the first: msgspec stops where it fails, so the value is then walked member by member.

Structs, arrays, maps and optional members are walked; anything else is judged whole by msgspec and its own path
("$.a[0].b") becomes a JSON pointer. Pure.
"""

import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec

from ledger.errors import FieldError, Malformed
from ledger.web.json_input import pointer_to

T = TypeVar("T")
ERROR_LIMIT = 100
_PLACE = re.compile(r" - at `(.*)`$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


def convert(value: Any, wanted: type[T]) -> T:
    """`value` (parsed JSON) as `wanted`. Raises Malformed with a pointer to every bad field, at most 100."""
    try:
        return msgspec.convert(value, wanted, strict=True)
    except msgspec.ValidationError as error:
        errors = []
        for problem in problems_of(value, wanted):
            errors.append(problem)
            if len(errors) == ERROR_LIMIT:
                break
        count = len(errors)
        said = f"{count} fields are not as they should be." if count > 1 else "One field is not as it should be."
        raise Malformed(said, errors=errors) from error


def problems_of(value: Any, wanted: Any, pointer: str = "") -> Iterator[FieldError]:
    """Everything that keeps `value` from being a `wanted`."""
    found = False
    for problem in _inside(value, wanted, pointer):
        found = True
        yield problem
    if not found:
        # What holds only of the whole: lengths, and the rules that a Struct checks across its members.
        yield from _whole(value, wanted, pointer)


def _inside(value: Any, wanted: Any, pointer: str) -> Iterator[FieldError]:
    kind = _container(value, wanted)
    if _is_struct(kind) and isinstance(value, dict):
        yield from _struct(value, kind, pointer)
        return
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(value, list) and _is_sequence(origin, arguments):
        for index, item in enumerate(value):
            yield from problems_of(item, arguments[0], f"{pointer}/{index}")
    elif isinstance(value, dict) and origin in (dict, Mapping) and len(arguments) == 2:
        for name, member in value.items():
            yield from problems_of(member, arguments[1], pointer_to(pointer, name))


def _is_sequence(origin: Any, arguments: tuple[Any, ...]) -> bool:
    """Whether a type is an array of one kind of item, however many."""
    if origin is tuple:
        return len(arguments) == 2 and arguments[1] is Ellipsis
    return origin in (list, set, frozenset, Sequence) and bool(arguments)


def _struct(value: dict[str, Any], struct: type[msgspec.Struct], pointer: str) -> Iterator[FieldError]:
    hints = _hints(struct)
    known = {struct.__struct_config__.tag_field}
    for field in msgspec.structs.fields(struct):
        known.add(field.encode_name)
        place = pointer_to(pointer, field.encode_name)
        if field.encode_name in value:
            yield from problems_of(value[field.encode_name], hints.get(field.name, field.type), place)
        elif field.required:
            yield FieldError(place, "This field is required")
    if struct.__struct_config__.forbid_unknown_fields:
        for name in value:
            if name not in known:
                yield FieldError(pointer_to(pointer, name), "There is no such field here")


def _whole(value: Any, wanted: Any, pointer: str) -> Iterator[FieldError]:
    try:
        msgspec.convert(value, wanted, strict=True)
    except msgspec.ValidationError as error:
        message = str(error)
        place = _PLACE.search(message)
        yield FieldError(pointer + (_pointer(place.group(1)) if place else ""), _PLACE.sub("", message))


def _container(value: Any, wanted: Any) -> Any:
    """The one member of a union that could hold this value; the type without its annotations."""
    while get_origin(wanted) is Annotated:
        wanted = get_args(wanted)[0]
    if get_origin(wanted) not in (Union, types.UnionType):
        return wanted
    members = [member for member in get_args(wanted) if member not in (type(None), msgspec.UnsetType)]
    if isinstance(value, dict):
        structs = [kind for member in members if _is_struct(kind := _container(value, member))]
        tagged = [kind for kind in structs if value.get(kind.__struct_config__.tag_field) == kind.__struct_config__.tag]
        members = tagged or structs or members
    elif isinstance(value, list):
        members = [member for member in members if get_origin(_container(value, member)) is not None] or members
    return _container(value, members[0]) if len(members) == 1 else None


def _is_struct(kind: Any) -> typing.TypeGuard[type[msgspec.Struct]]:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


@lru_cache(maxsize=512)
def _hints(struct: type[msgspec.Struct]) -> dict[str, Any]:
    return typing.get_type_hints(struct, include_extras=True)


def _pointer(path: str) -> str:
    pointer = ""
    for name, index in _STEP.findall(path):
        pointer = pointer_to(pointer, name or index)
    return pointer
