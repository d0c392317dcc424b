"""Reading only some attributes: typed tuples instead of instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ..codec.plan import NO_POSITION, Page
from ..codec.source import Scope
from ..errors import DecodeError
from ..expressions import Path
from .pages import Reader
from .target import Target

__all__ = ["tuple_reader"]


def tuple_reader(target: Target, paths: Sequence[Path[Any]]) -> Reader:
    """A function from a response to one tuple per item, with the value of each path.

    An attribute that an item does not have gives its default, or None where its type allows that.
    """
    names = [str(path.steps[0]) for path in paths]
    if all(len(path.steps) == 1 for path in paths) and len(set(names)) == len(names):
        return _compiled_reader(target, paths)
    return _walking_reader(target, paths)


def _compiled_reader(target: Target, paths: Sequence[Path[Any]]) -> Reader:
    record = target.plan.record
    positions = {attribute.stored_name: place for place, attribute in enumerate(record.fields.attributes)}
    places = [positions[str(path.steps[0])] for path in paths]
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
        except (msgspec.ValidationError, ValueError, TypeError):
            return slow(response, misfits)

    return read


def _walking_reader(target: Target, paths: Sequence[Path[Any]]) -> Reader:
    def read(response: bytes, misfits: list[DecodeError] | None) -> tuple[list[Any], Any]:
        page = msgspec.json.decode(response, type=Page)
        rows: list[Any] = []
        for item in page.Items:
            try:
                rows.append(tuple(_value_at(target, item, path) for path in paths))
            except DecodeError as error:
                if misfits is None:
                    raise
                misfits.append(error)
        return rows, page

    return read


def _value_at(target: Target, item: dict[str, Any], path: Path[Any]) -> Any:
    wire: Any = {"M": item}
    for step in path.steps:
        inner = wire.get("M" if isinstance(step, str) else "L")
        if isinstance(step, str):
            wire = inner.get(step) if inner is not None else None
        else:
            # DynamoDB answers with the projected elements only, closed up; a single one stands first.
            wire = inner[0] if inner else None
        if wire is None:
            return _absent(target, item, path)
    try:
        return path.codec.decode(wire)
    except DecodeError as error:
        raise DecodeError(
            f"{target.plan.name}.{path.label}: {error.message}",
            model=target.plan.name,
            key={name: item[name] for name in target.plan.key_names if name in item},
            path=path.label,
            expected=error.expected,
            found=error.found,
        ) from None


def _absent(target: Target, item: dict[str, Any], path: Path[Any]) -> Any:
    attribute = next(
        (
            one
            for one in target.mapped.mapping.attributes.values()
            if len(path.steps) == 1 and one.stored_name == path.steps[0]
        ),
        None,
    )
    if attribute is not None and attribute.has_default:
        return attribute.make_default()
    if len(path.steps) > 1 or "NULL" in path.codec.tags:
        return None
    raise target.plan.misfit_in(item)
