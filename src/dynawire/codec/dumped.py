"""Codecs of classes with a schema: values are stored as the schema dumps them, and are what the schema loads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ..errors import ValidationError
from ..mapping.adapters.schema import SchemaField, joined
from ..mapping.records import RecordFields
from ..mapping.value_codec import WireValue
from .base import Codec, Problem
from .custom import StoredCodec
from .key_form import OTHER_FORM
from .misfit import Misfit, place_of
from .records import RecordCodec
from .scalars import wrong_type
from .source import Scope
from .unions import OptionalCodec

__all__ = ["DumpedRecordCodec", "FieldCodec"]


class Refused(Misfit):
    """The schema refuses a value, and says why.

    Attributes:
        found: what it says, with paths below the value.
    """

    def __init__(self, found: tuple[Problem, ...]) -> None:
        super().__init__("its schema refuses it")
        self.found = found


class FieldCodec(StoredCodec):
    """Values of one field of a schema, alone: in keys, conditions and updates.

    Args:
        field: the field.
        inner: the codec of its raw form.
        resolve: finds the codec of another field.
        checked: whether the field's validators run; they do not for values to compare with.
    """

    limitable = frozenset()

    def __init__(
        self, field: SchemaField, inner: Codec, resolve: Callable[[SchemaField], Codec], *, checked: bool = True
    ) -> None:
        super().__init__(field.name, inner, lambda value: field.dump(value, checked), field.load, (object,))
        self.field = field
        self.checked = checked
        self._resolve = resolve
        self._members: dict[str, tuple[str, Codec]] | None = None

    def stated(self, model: str, path: str, reason: str) -> str:
        return _stated(model, path, reason)

    def stored(self, value: Any) -> Any:
        try:
            return self.field.dump(value, self.checked)
        except ValidationError as error:
            found = tuple(error.errors)
        except (Misfit, RecursionError):
            raise
        except Exception as error:  # noqa: BLE001 - schemas run functions of their users
            raise Misfit(f"can't be dumped: its schema raised {place_of(error)}") from None
        raise Refused(found)

    def restored(self, stored: Any) -> Any:
        try:
            return self.field.load(stored)
        except ValidationError as error:
            reason = error.message
        except Exception as error:  # noqa: BLE001 - schemas run functions of their users
            reason = f"its schema raised {place_of(error)}"
        raise Misfit(reason)

    # ------------------------------------------------------------------ the tagged forms: those of what is stored

    @property
    def tags(self) -> frozenset[str]:
        return self.inner.tags

    @property
    def payloads(self) -> tuple[tuple[str, Any], ...]:
        return self.inner.payloads

    @property
    def wire_type(self) -> Any:
        return self.inner.wire_type

    def encode_source(self, scope: Scope, value: str) -> str:
        raw = scope.fresh()
        return f"(({raw} := {scope.bind(self)}.stored({value})), {self.inner.encode_source(scope, raw)})[1]"

    def decode_source(self, scope: Scope, wire: str) -> str:
        return f"{scope.bind(self)}.restored({self.inner.decode_source(scope, wire)})"

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        try:
            raw = self.stored(value)
        except Refused as refusal:
            for below, reason in refusal.found:
                yield joined(path, below), reason
        except Misfit as misfit:
            yield path, str(misfit)
        else:
            yield from self.inner.problems(raw, path)

    def narrowed(self, wire: WireValue) -> Codec:
        return self if self.tag else self.inner.narrowed(wire)

    # ------------------------------------------------------------------ what is inside: fields again

    def _inside(self) -> dict[str, tuple[str, Codec]]:
        if self._members is None:
            members = self.field.members() if self.field.members is not None else {}
            self._members = {name: (stored, self._codec(field)) for name, (stored, field) in members.items()}
        return self._members

    def _codec(self, field: SchemaField) -> Codec:
        codec = self._resolve(field)
        return codec if self.checked else codec.unconstrained

    def member(self, name: str) -> tuple[str, Codec] | None:
        if self.field.members is not None:
            return self._inside().get(name)
        if self.field.element is not None and "M" in self.inner.tags:
            return name, self._codec(self.field.element)
        return self.inner.member(name)

    def member_names(self) -> list[str]:
        return list(self._inside())

    def element(self) -> Codec | None:
        if self.field.element is not None and "M" not in self.inner.tags:
            return self._codec(self.field.element)
        return self.inner.element()

    def strip_limits(self) -> Codec:
        return FieldCodec(self.field, self.inner.unconstrained, self._resolve, checked=False)


class DumpedRecordCodec(RecordCodec):
    """A class whose instances a schema dumps and loads as a whole, so that its hooks run."""

    def __init__(
        self,
        cls: type[Any],
        fields: RecordFields,
        codecs: dict[str, Codec],
        wire_members: Any = None,
        checked: bool = True,
    ) -> None:
        super().__init__(cls, fields, codecs, wire_members)
        self._schema = fields.schema
        self._checked = checked
        keys = fields.schema.keys
        attributes = tuple(msgspec.structs.replace(one, name=keys[one.name]) for one in fields.attributes)
        # The generic keys of a single table are not the schema's.
        raw_codecs = {keys[name]: _raw(codec) for name, codec in codecs.items() if name in keys}
        raw_fields = RecordFields(attributes, {}, is_dict=True, optional_members=frozenset(raw_codecs))
        self._raw = RecordCodec(cls, raw_fields, raw_codecs, self.wire_members)
        self._keys = [(keys[one.name], one.name) for one in fields.attributes if one.role is not None]

    def stated(self, model: str, path: str, reason: str) -> str:
        return _stated(model, path, reason)

    def compile_encoder(
        self, completing: Callable[[Scope], list[str]] | None = None
    ) -> Callable[[Any], dict[str, Any]]:
        encode = self._dumping_encoder()
        if completing is None:
            return encode
        scope = Scope()
        complete = scope.function(f"complete_{self.cls.__name__}", "w", [*completing(scope), "return w"])
        # After the schema has had its say.
        return lambda instance: complete(encode(instance))

    def _dumping_encoder(self) -> Callable[[Any], dict[str, Any]]:
        dump, check, encode, kind = self._schema.dump, self._schema.check, self._raw.encode_members, self.cls
        if not self._checked:
            return lambda instance: encode(dump(instance))

        def encode_checked(instance: Any) -> dict[str, Any]:
            if instance.__class__ is not kind:
                raise wrong_type(kind.__name__, instance)
            try:
                raw = dump(instance)
                members = encode(raw)
                check(raw)  # last: hooks may change what they are given
            except ValidationError as error:
                found = tuple(error.errors)
            else:
                return members
            raise Refused(found)

        return encode_checked

    def build_lines(self, scope: Scope, wire: str = "w") -> tuple[list[str], str]:
        make = self._make_exactly if self._keys else self._schema.make
        return [], f"{scope.bind(make)}({scope.bind(self._raw.build)}({wire}))"

    def _make_exactly(self, raw: dict[str, Any]) -> Any:
        """The instance of what is stored; its key must be dumped as it is stored, or it is that of another item."""
        stored = [raw.get(key) for key, _ in self._keys]
        instance = self._schema.make(raw)
        for (_, name), one in zip(self._keys, stored, strict=True):
            field = self.codecs[name]
            assert isinstance(field, FieldCodec)
            if field.field.dump(getattr(instance, name), False) != one:
                raise Misfit(OTHER_FORM)
        return instance

    def value_source(self, scope: Scope, payload: str) -> str:
        return f"{scope.bind(self)}.build({payload})"

    def member_problems(self, value: Any, path: str) -> Iterator[Problem]:
        raw: dict[str, Any] = {}
        found: list[Problem] = []
        try:
            raw = self._schema.dump(value)
            self._schema.check(dict(raw))
        except ValidationError as error:
            found = list(error.errors)
        names = {key: name for name, key in self._schema.keys.items()}
        for key, one in raw.items() if not found else ():
            found += self._raw.codecs[key].problems(one, names[key])
        for below, reason in found:
            yield joined(path, below), reason

    def strip_limits(self) -> Codec:
        codecs = {name: codec.unconstrained for name, codec in self.codecs.items()}
        return DumpedRecordCodec(self.cls, self.fields, codecs, self.wire_members, checked=False)


def _raw(codec: Codec) -> Codec:
    if isinstance(codec, OptionalCodec):
        return OptionalCodec(_raw(codec.inner))
    assert isinstance(codec, FieldCodec)
    return codec.inner


def _stated(model: str, path: str, reason: str) -> str:
    told = getattr(reason, "told", None)
    where = f"{model}.{path}" if path else model
    return f"{where} {reason}" if told is None else f"{where}: {told}"
