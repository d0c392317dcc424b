"""How one attribute is computed from others: wire values in, a wire value out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import msgspec

from ..codec.base import Codec
from ..codec.custom import StoredCodec
from ..codec.misfit import place_of
from ..codec.unions import OptionalCodec
from ..errors import DynawireError, ExpressionError, SchemaError, ValidationError
from ..expressions import Condition, Path, all_of, parse_lookups
from ..expressions.evaluation import Test, condition_test
from ..expressions.normal_form import conjuncts
from ..mapping.attributes import Attribute
from ..mapping.class_mapping import ClassMapping, nearest
from ..mapping.template_parts import (
    Part,
    bool_part,
    exact_part,
    padded_part,
    plain_part,
    text_part,
    whole_part,
)
from ..mapping.templates import BoundTemplate, Component, Template

__all__ = ["Computation", "bound_template", "computation_of"]

WireItem = Mapping[str, Any]

_SCALAR_TAGS = frozenset({"S", "N", "B", "BOOL", "NULL"})

Function = tuple[Callable[..., Any], Callable[[WireItem], list[Any]]]
"""What computes an attribute, and what gives its arguments of an item."""

T = TypeVar("T")
_DATES = frozenset({"datetime", "naive datetime", "date", "time", "UUID"})
_PLAIN = frozenset({"S", "N", "BOOL"})


class Computation:
    """One computed attribute of a class.

    Attributes:
        name: its stored name.
        label: what it is called in messages.
        sources: the attributes it is computed from, by stored name.
        template: what it is composed by, or None.
        test: says of an item whether it has the attribute; None: always.
        when: the same as a condition.
        codec: its own codec.
        least: how long its text is when every value in it is empty, where that can't be: as a key of the table it would
            be that of every such item; 0 elsewhere.
    """

    def __init__(
        self,
        model: str,
        attribute: Attribute,
        label: str,
        codec: Codec,
        sources: Mapping[str, Attribute],
        template: BoundTemplate | None,
        function: Function | None,
        when: Condition | None,
    ) -> None:
        assert attribute.computed is not None
        self.name = attribute.stored_name
        self.label = label
        self._attribute = attribute.name
        self.sources = dict(sources)
        self.template = template
        self.when = when
        self.test: Test | None = None if when is None else condition_test(when)
        self._tests = [] if when is None else _tests_of_scalars(when)
        self.codec = codec
        self._model = model
        self._function = function
        self._must_have = attribute.computed.missing == "error"
        is_key = attribute.role is not None and template is not None and bool(template.parts)
        self.least = sum(map(len, template.template.literals)) if is_key and template is not None else 0

    def value(self, wire: WireItem) -> dict[str, Any] | None:
        """The attribute's wire value in an item; None: the item does not have it.

        Raises:
            ValidationError: a source is missing that must not be, a value can't be written, or the function raised.
        """
        if self.test is not None and not self.test(wire):
            return None
        if self.template is None:
            made = self._called(wire)
            return None if made is None else self._encoded(made)
        for source in self.template.sources:
            found = wire.get(source)
            if found is None or "NULL" in found:
                self._check_missing(source)
                return None
        return self._encoded(self._text(wire))

    def _called(self, wire: WireItem) -> Any:
        """What the function makes of an item's values."""
        assert self._function is not None
        function, arguments = self._function
        values = arguments(wire)
        try:
            return function(*values)
        except DynawireError:
            raise
        except Exception as error:  # noqa: BLE001 - it raises what it likes
            reason = f"could not be computed from {', '.join(self.labels())}: its function raised {place_of(error)}"
        # Not from inside the except clause: the other error may tell the values.
        raise ValidationError(
            f"{self._model}.{self.label} {reason}",
            model=self._model,
            attribute=self._attribute,
            errors=((self._attribute, reason),),
        )

    def composed(self, wire: WireItem) -> str:
        """The text of an item, or of a key condition, that has every source of the template.

        Raises:
            ValidationError: a value can't be written.
        """
        return self.checked(self._text(wire))

    def _text(self, wire: WireItem) -> str:
        text = self._guarded(lambda template: template.text(wire))
        if len(text) > self.least or not self.least:
            return text
        assert self.template is not None
        names = self.labels()
        which = ", ".join(f"{self._model}.{name}" for name in names)
        raise ValidationError(
            f"{which} {'is' if len(names) == 1 else 'are'} empty, so that {self.label}, composed by "
            f"{self.template.template.text!r}, would be the same of every such item; give "
            f"{'it' if len(names) == 1 else 'one of them'} a value; nothing was sent",
            model=self._model,
            attribute=names[0],
        )

    def checked(self, text: str) -> str:
        """A text, unless a key can't be that."""
        return str(self._encoded(text)["S"])

    def beginning(self, wire: WireItem) -> tuple[int, str]:
        """The place of the first component whose source is not known, and the text before it."""
        return self._guarded(lambda template: list(template.beginnings(wire))[-1])

    def written(self, place: int, wire: Any) -> str:
        """The text of one component."""
        return self._guarded(lambda template: template.written(place, wire))

    def _guarded(self, make: Callable[[BoundTemplate], T]) -> T:
        assert self.template is not None
        try:
            return make(self.template)
        except ValidationError:
            raise
        except ValueError as error:
            reason, place = error.args
            raise self._refused(self.template.sources[place], reason) from None

    def is_absent_for(self, wire: WireItem, names: Collection[str]) -> bool:
        """Whether the item has no such attribute, whatever its other sources are.

        Args:
            wire: sources that are there.
            names: the sources of which it is known whether they are.
        """
        if any(name in names and not test(wire) for name, test in self._tests):
            return True
        return (
            self.template is not None
            and not self._must_have
            and any(one in names and (one not in wire or wire[one] == {"NULL": True}) for one in self.template.sources)
        )

    def _encoded(self, value: Any) -> dict[str, Any]:
        try:
            return self.codec.encode(value)
        except ValidationError as error:
            reason = error.errors[0][1] if error.errors else error.message
        raise ValidationError(
            f"{self._model}: {self.label}, computed from {', '.join(self.labels())}, {reason}; nothing was sent",
            model=self._model,
            attribute=self._attribute,
        )

    def labels(self) -> list[str]:
        """Python names of its sources."""
        return [attribute.name for attribute in self.sources.values()]

    def _check_missing(self, source: str) -> None:
        if self._must_have and self.sources[source].upkeep is None:
            raise self._refused(source, f"is None, and {self.label} is computed from it (missing='error')")

    def _refused(self, source: str, reason: str) -> ValidationError:
        label = self.sources[source].name
        return ValidationError(f"{self._model}.{label} {reason}; nothing was sent", model=self._model, attribute=label)


def _tests_of_scalars(when: Condition) -> list[tuple[str, Test]]:
    """Parts of a condition that are about one attribute, which a write sets as a whole: by stored name."""
    found: list[tuple[str, Test]] = []
    for part in conjuncts(when):
        paths = list(part.paths())
        if len(paths) == 1 and len(paths[0]._steps) == 1 and paths[0]._codec.tags <= _SCALAR_TAGS:
            found.append((str(paths[0]._steps[0]), condition_test(part)))
    return found


def computation_of(
    mapping: ClassMapping, attribute: Attribute, codecs: Mapping[str, Codec], paths: Mapping[str, Path[Any]]
) -> Computation:
    """How an attribute of a class is computed.

    Raises:
        SchemaError: a source is unknown, or can't be one; or its own type does not fit.
    """
    declared = attribute.computed
    assert declared is not None

    def wrong(message: str) -> SchemaError:
        where = attribute.name if not attribute.hidden else f"the key {attribute.name}"
        return SchemaError(f"{mapping.name}: {where} {message}", model=mapping.name, attribute=attribute.name)

    if mapping.table is None:
        raise wrong('is computed by writes, but the class has no table; write table="..."')
    sources: dict[str, Attribute] = {}
    for name in declared.sources:
        source = _source(mapping, name, wrong)
        sources[source.stored_name] = source
    when = None
    if declared.when is not None:
        try:
            when = all_of(parse_lookups(paths, declared.when, mapping.name))
        except (ExpressionError, ValidationError) as error:
            # A mistake of the declaration, and not of an operation.
            raise wrong(f"has a when= that can't work: {error.message}") from None
        for path in when.paths():
            source = _source(mapping, path._label.partition(".")[0], wrong)
            sources[source.stored_name] = source
    codec = codecs[attribute.name]
    if declared.template is None:
        assert declared.function is not None
        arguments = _arguments([(mapping.attributes[name], codecs[name]) for name in declared.sources])
        function = (declared.function, arguments)
        return Computation(mapping.name, attribute, attribute.name, codec, sources, None, function, when)
    template = bound_template(mapping, declared.template, codecs, wrong)
    if codec.tags - {"NULL"} != {"S"} or not _takes_any_text(codec):
        raise wrong(f"is composed by a template, so it is text; write {attribute.name}: Attr[str]")
    optional = [mapping.attributes[name].name for name in declared.template.names if _may_be_none(codecs[name])]
    if optional and declared.missing == "absent" and "NULL" not in codec.tags:
        raise wrong(
            f"is absent when {optional[0]} is None; write {attribute.name}: Attr[str | None], or missing='error'"
        )
    return Computation(mapping.name, attribute, _label(mapping, attribute), codec, sources, template, None, when)


def _label(mapping: ClassMapping, attribute: Attribute) -> str:
    """What a computed attribute is called in messages: a generic key by the index that is meant."""
    if not attribute.hidden:
        return attribute.name
    index = next((name for name, one in mapping.indexes.items() if attribute.name in one.key_names()[-2:]), None)
    return (
        f"the key {attribute.name}" if index is None or attribute.role is not None else f"the key of the index {index}"
    )


def bound_template(
    mapping: ClassMapping, template: Template, codecs: Mapping[str, Codec], wrong: Callable[[str], SchemaError]
) -> BoundTemplate:
    """A template whose components know how the values of a class's attributes are written.

    Raises:
        SchemaError: a source is unknown, or of a type that can't stand in a template.
    """
    parts: list[Part] = []
    names: list[str] = []
    for place, component in enumerate(template.components):
        source = _source(mapping, component.name, wrong)
        is_last = place == len(template.components) - 1 and not template.literals[-1]
        part = _part(codecs[source.name], component, template.separator, last=is_last)
        if isinstance(part, str):
            raise wrong(f"can't be composed of {component.name}, {part}")
        parts.append(part)
        names.append(source.stored_name)
    return BoundTemplate(template, parts, names)


def _source(mapping: ClassMapping, name: str, wrong: Callable[[str], SchemaError]) -> Attribute:
    source = mapping.attributes.get(name)
    if source is None or source.hidden:
        known = [one.name for one in mapping.attributes.values() if not one.hidden]
        raise wrong(f"is computed from {name!r}, an attribute {mapping.name} does not have{nearest(name, known)}")
    if source.computed is not None:
        raise wrong(f"is computed from {name}, which is computed itself; name what that is computed from")
    if source.upkeep == "version":
        raise wrong(f"is computed from {name}, a version(), which changes with every write; leave it out")
    return source


def _part(codec: Codec, component: Component, separator: str, *, last: bool) -> Part | str:
    """How values of a codec are written, or why they can't be."""
    inner = codec.inner if isinstance(codec, OptionalCodec) else codec
    tags = inner.tags
    if len(tags) != 1 or not tags <= _PLAIN:
        return (
            f"which is {codec.describe()}: a component is one text, number or bool "
            "(str, int, Decimal, datetime, date, UUID, Enum …)"
        )
    numbers_only = component.width is not None or component.plain
    if tags != {"N"} and numbers_only:
        return f"which is {codec.describe()}: a width, or d, is for numbers; write {{{component.name}}}"
    if tags == {"S"}:
        # A date that is stored by functions of the user's, or of a schema, may have any form.
        is_date = inner.describe() in _DATES and not isinstance(inner, StoredCodec)
        return text_part(separator, last=last, is_date=is_date)
    if tags == {"BOOL"}:
        return bool_part()
    is_whole = inner.payload_type is int
    if component.width is not None:
        return padded_part(component.width)
    if component.plain:
        return plain_part() if is_whole else f"which is {codec.describe()}: d is for whole numbers"
    return whole_part() if is_whole else exact_part(separator, last=last)


def _may_be_none(codec: Codec) -> bool:
    return "NULL" in codec.tags


def _takes_any_text(codec: Codec) -> bool:
    inner = codec.inner if isinstance(codec, OptionalCodec) else codec
    return inner.describe() == "str"


def _arguments(sources: list[tuple[Attribute, Codec]]) -> Callable[[WireItem], list[Any]]:
    """What gives the values of these attributes in an item."""

    def arguments(wire: WireItem) -> list[Any]:
        # As a response would have it: binary is base64 text there.
        stored = [wire.get(attribute.stored_name) for attribute, _ in sources]
        values = msgspec.json.decode(msgspec.json.encode(stored))
        return [_value(attribute, codec, one) for (attribute, codec), one in zip(sources, values, strict=True)]

    return arguments


def _value(attribute: Attribute, codec: Codec, wire: Any) -> Any:
    if wire is not None:
        return codec.decode(wire)
    return attribute.make_default() if attribute.has_default else None
