"""Reading only some attributes: typed tuples instead of instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ..codec.reading import NO_POSITION, Page
from ..codec.source import Scope
from ..errors import DecodeError
from ..expressions import Path
from .pages import Reader
from .target import Target
from .unstored import refuse_unstored

__all__ = ["requested_paths", "tuple_reader", "value_at"]

Steps = tuple[str | int, ...]


def requested_paths(paths: Sequence[Path[Any]]) -> list[Path[Any]]:
    """What to ask the service for, so that each of these paths can be told from the others in its answer.

    Of a list it returns the projected elements closed up, without their places, and leaves out those it has nothing
    of: where several elements of one list are wanted, the list is read whole.
    """
    elements: dict[Steps, set[int]] = {}
    for path in paths:
        for place, step in enumerate(path._steps):
            if isinstance(step, int):
                elements.setdefault(path._steps[:place], set()).add(step)
    found: dict[Steps, Path[Any]] = {}
    for path in paths:
        steps = path._steps
        cut = next((place for place in range(len(steps)) if len(elements.get(steps[:place], ())) > 1), None)
        if cut is None:
            found[steps] = path
        else:
            found[steps[:cut]] = Path(path._owner, steps[:cut], path._label, path._codec)
    return [path for steps, path in found.items() if not any(steps[:place] in found for place in range(1, len(steps)))]


def tuple_reader(target: Target, paths: Sequence[Path[Any]]) -> Reader:
    """A function from a response to one tuple per item, with the value of each path.

    An attribute that an item does not have gives its default, or None where its type allows that; what is missing
    inside a map or a list gives None.
    """
    refuse_unstored(target, paths, "projected")
    known = ("project", *(path._steps for path in paths))
    reader: Reader | None = target.readers.get(known)
    if reader is None:
        plain = all(len(path._steps) == 1 and _is_field(target, path) for path in paths)
        make = _compiled_reader if plain else _walking_reader
        reader = target.readers[known] = make(target, paths)
    return reader


def _is_field(target: Target, path: Path[Any]) -> bool:
    """Whether instances hold the attribute: what is computed they do not."""
    known = target.mapped.mapping.attributes.get(path._label)
    return known is not None and known.computed is None


def _compiled_reader(target: Target, paths: Sequence[Path[Any]]) -> Reader:
    record = target.plan.record
    positions = {attribute.stored_name: place for place, attribute in enumerate(record.fields.attributes)}
    places = [positions[str(path._steps[0])] for path in paths]
    fields: list[Any] = []
    renames: dict[str, str] = {}
    for place in places:
        attribute = record.fields.attributes[place]
        wire_type = record.codecs[attribute.name].wire_type
        name = f"f{place}"
        renames[name] = attribute.stored_name
        fields.append((name, wire_type | None, None) if record.may_be_absent(attribute) else (name, wire_type))
    item = msgspec.defstruct(f"Projected{target.plan.name}", fields, rename=renames, gc=False, kw_only=True)
    output = msgspec.defstruct(
        "ProjectedPage",
        [
            ("Items", list[item], ()),  # type: ignore[valid-type]
            ("LastEvaluatedKey", msgspec.Raw, NO_POSITION),
            ("ConsumedCapacity", Any, None),
        ],
        gc=False,
    )
    decode = msgspec.json.Decoder(output, strict=False).decode
    scope = Scope()
    members = ", ".join(record.member_source(scope, place) for place in places)
    build = scope.function("build_tuples", "items", [f"return [({members},) for w in items]"])
    slow = _walking_reader(target, paths)

    def read(response: bytes, misfits: list[DecodeError] | None) -> tuple[list[Any], Any]:
        try:
            page: Any = decode(response)
            return build(page.Items), page
        except Exception:  # noqa: BLE001 - constructors raise what they like
            # Read again one by one, to say which item does not fit, and where.
            return slow(response, misfits)

    return read


def _walking_reader(target: Target, paths: Sequence[Path[Any]]) -> Reader:
    whole = {path._steps for path in requested_paths(paths)}
    steps_taken = [_steps_taken(path._steps, whole) for path in paths]

    def read(response: bytes, misfits: list[DecodeError] | None) -> tuple[list[Any], Any]:
        page = msgspec.json.decode(response, type=Page)
        rows: list[Any] = []
        for item in page.Items:
            try:
                rows.append(
                    tuple(value_at(target, item, path, steps) for path, steps in zip(paths, steps_taken, strict=True))
                )
            except DecodeError as error:
                if misfits is None:
                    raise
                misfits.append(error)
        return rows, page

    return read


def _steps_taken(steps: Steps, whole: set[Steps]) -> Steps:
    """The steps to a path's value in the service's answer: an element of a list that is not read whole stands first."""
    return tuple(
        0 if isinstance(step, int) and not any(steps[:length] in whole for length in range(1, place + 1)) else step
        for place, step in enumerate(steps)
    )


def value_at(target: Target, item: dict[str, Any], path: Path[Any], steps: Steps) -> Any:
    """The value of a path in an item, to which these steps lead.

    Raises:
        DecodeError: it is stored as another type, or is missing and has neither default nor None.
    """
    wire: Any = {"M": item}
    for step in steps:
        if isinstance(step, str):
            wire = wire.get("M", {}).get(step)
        else:
            elements = wire.get("L", ())
            wire = elements[step] if step < len(elements) else None
        if wire is None:
            return _absent(target, item, path)
    try:
        return path._codec.decode(wire)
    except DecodeError as error:
        raise _misfit(target, item, path, error.expected or path._codec.describe(), error.found or "") from None


def _absent(target: Target, item: dict[str, Any], path: Path[Any]) -> Any:
    if len(path._steps) > 1:
        return None
    attribute = target.mapped.mapping.attributes[path._label]
    if attribute.has_default:
        return attribute.make_default()
    if "NULL" in path._codec.tags:
        return None
    raise _misfit(target, item, path, path._codec.describe(), "nothing")


def _misfit(target: Target, item: dict[str, Any], path: Path[Any], expected: str, found: str) -> DecodeError:
    return DecodeError(
        f"{target.plan.name}.{path._label}: expected {expected}, found {found}, in an item of table "
        f"{target.table_name}; what was read of its key is in this error's .key",
        model=target.plan.name,
        key={name: item[name] for name in target.plan.key_names if name in item},
        path=path._label,
        expected=expected,
        found=found,
    )
