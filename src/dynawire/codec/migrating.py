"""The codec plan of a class with migrations: items of earlier versions are read as what the class is today."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ..errors import DecodeError, LimitExceeded, SchemaError, ValidationError
from ..mapping.adapters.base import Adapter
from ..mapping.annotations import Names
from ..mapping.class_mapping import ClassMapping
from ..mapping.records import RecordFields
from .base import ENCODE_FAILURES
from .canonical import canonical
from .dynamic import decode_any, encode_any
from .migrated import MigratedItem
from .misfit import Misfit, place_of
from .plan import ClassPlan
from .reading import WireItem
from .source import made_later

__all__ = ["MigratingPlan"]

_decode_json = msgspec.json.Decoder(dict[str, dict[str, Any]]).decode


class _Origin:
    """The item a migrated instance was loaded from; it is compared with the instance only when that is saved."""

    __slots__ = ("item", "migrated", "plan", "version", "wire")

    def __init__(self, plan: MigratingPlan, item: WireItem, migrated: WireItem, version: int, wire: Any) -> None:
        self.plan = plan
        self.item = item
        self.migrated = migrated
        self.version = version
        self.wire = wire

    def loaded(self) -> MigratedItem:
        """The stored item, apart from what this class and its migrations leave alone."""
        stored, migrated = _with_bytes(self.item), _with_bytes(self.migrated)
        touched = [name for name in (stored | migrated) if stored.get(name) != migrated.get(name)]
        ours = {attribute.stored_name for attribute in self.plan.mapping.attributes.values()}
        read = self.plan.loaded_wire(self.wire)
        # What was left alone is encoded as the class does, so that another spelling of one value is no change.
        attributes = {
            name: stored[name] if name in touched else read.get(name, stored[name]) for name in stored if name in ours
        }
        in_key = frozenset() if self.plan.key_only is None else self.plan.key_only.names
        unstored = {name: read[name] for name in in_key if name in read}
        found = MigratedItem(attributes | unstored, stored, self.version)
        found.migrated = {name: read.get(name, migrated[name]) for name in migrated if name in ours} | unstored
        found.others = {name: migrated.get(name) for name in touched if name not in ours}
        found.touched = touched
        return found


class MigratingPlan(ClassPlan):
    """What is compiled for a class with migrations."""

    def __init__(
        self, mapping: ClassMapping, fields: RecordFields, adapter: Adapter, names: Names | None = None
    ) -> None:
        kind = mapping.options.migrations
        assert kind is not None
        self.versions = self._versions = kind.__versions__
        self._migrations_name = kind.__name__
        try:
            methods = kind()
        except Exception as error:  # noqa: BLE001 - a class of the user's
            raise SchemaError(
                f"{mapping.name}: {kind.__name__}() raised {place_of(error)}; migrations are made without arguments",
                model=mapping.name,
            ) from None
        self._checks = {one: getattr(methods, name) for one, name in sorted(self._versions.checks.items())}
        self._steps = [(one, getattr(methods, name)) for one, name in sorted(self._versions.steps.items())]
        super().__init__(mapping, fields, adapter, names)
        self.fixed_names = (
            *self.key_names,
            *(one.stored_name for one in mapping.attributes.values() if one.upkeep == "version"),
            *(() if mapping.family is None else (mapping.family.stored_name,)),
        )
        self._is_composed = any(one.computed is not None for one in mapping.attributes.values())
        self._by_stored_name = {one.stored_name: one for one in mapping.attributes.values()}
        if self._versions.attribute is not None:
            self._check_attribute(self._versions.attribute)

    def _check_attribute(self, name: str) -> None:
        latest = self._versions.latest
        attribute = self._by_stored_name.get(name)
        if attribute is None or attribute.upkeep is not None or attribute.default != latest:
            what = "declares no attribute of that stored name" if attribute is None else "has it otherwise"
            raise SchemaError(
                f"{self.name}: {self._migrations_name} keeps the version in {name!r}, and {self.name} {what}; write "
                f"{name}: Attr[int] = attr(default={latest}), so that new items say which version they are",
                model=self.name,
                attribute=name,
            )

    # ------------------------------------------------------------------ reading

    @property
    def members(self) -> Any:
        return msgspec.Raw

    def _compile(self) -> None:
        super()._compile()
        self._build_wire = made_later(self, "_build_wire", super()._builder)
        self._read_wire = made_later(
            self, "_read_wire", lambda: msgspec.json.Decoder(self.record.wire_members, strict=False).decode
        )

    def _builder(self) -> Callable[[Any], Any]:
        version_of = self._reads_version()
        latest = self._versions.latest
        keep = self.adapter.keep

        def build(raw: Any) -> Any:
            version = version_of(raw)
            if version == latest:
                return self._build_wire(self._read_wire(raw))
            instance, origin = self._opened(_decode_json(raw), version)
            keep(instance, origin)
            return instance

        return build

    def _page_builder(self) -> Callable[[Any], list[Any]]:
        return lambda raws: [self.build(raw) for raw in raws]

    def _opened(self, item: WireItem, version: int) -> tuple[Any, _Origin]:
        migrated = self._migrated(item, version)
        wire = self._read_wire(msgspec.json.encode(migrated))
        instance = self._build_wire(wire)
        if self._is_composed:
            self._check_composed(instance, item, version)
        return instance, _Origin(self, item, migrated, version, wire)

    def _check_composed(self, instance: Any, item: WireItem, version: int) -> None:
        """Refuse to read an item as an instance that would be written elsewhere."""
        try:
            wire = self.encode(instance)
        except (ValidationError, LimitExceeded):
            return  # as a write of it will say
        for name in self.key_names:
            if not _same(item.get(name), wire.get(name)):
                raise self._error(item, f"the migrations changed what the key {name} is composed of", version)

    def open(self, item: WireItem) -> tuple[Any, MigratedItem | None]:
        """The instance of a stored item, and what that was, when it needed migrations.

        Raises:
            DecodeError: the item does not fit the class.
        """
        try:
            version = self._version(item)
            if version == self._versions.latest:
                return self.from_wire(item), None
            instance, origin = self._opened(item, version)
        except DecodeError:
            raise
        except Exception:  # noqa: BLE001 - constructors raise what they like
            misfit = self.misfit_in(item)
        else:
            return instance, origin.loaded()
        raise misfit

    def _instance(self, loaded: Any) -> Any:
        return self._build_wire(loaded)

    def misfit_in(self, item: WireItem | None) -> DecodeError:
        version = None
        if item is not None:
            stored = item
            try:
                version = self._version(item)
                if version != self._versions.latest:
                    item = self._migrated(item, version)
                    self._opened(stored, version)
            except DecodeError as error:
                return error
            except Exception:  # noqa: BLE001 - constructors raise what they like; where is found below
                pass
        found = super().misfit_in(item)
        if version is not None and version != self._versions.latest:
            found.version = version
            found.add_note(f"it was stored as version {version} and migrated to {self._versions.latest} before")
        return found

    def loaded_wire(self, loaded: Any) -> WireItem:
        if isinstance(loaded, _Origin):
            return loaded.loaded()
        return super().loaded_wire(loaded)

    # ------------------------------------------------------------------ versions

    def _reads_version(self) -> Callable[[Any], int]:
        name = self._versions.attribute
        if name is None:
            return lambda raw: self._version(_decode_json(raw))
        members = msgspec.defstruct("VersionOf", [("found", Any, None)], rename={"found": name}, gc=False)
        read: Callable[[Any], Any] = msgspec.json.Decoder(members).decode
        known = frozenset(self._versions.numbers)

        def version_of(raw: Any) -> int:
            number: int | None = self._number(read(raw).found)
            return number if number is not None and number in known else self._version(_decode_json(raw))

        return version_of

    def _version(self, item: WireItem) -> int:
        """Which version an item is of.

        Raises:
            DecodeError: of none.
        """
        if self._versions.attribute is not None:
            return self._known_number(item, self._number(item.get(self._versions.attribute)))
        values = self._values(item)
        for number in reversed(self._versions.numbers):
            if self._looks_like(number, values, item, None):
                return number
        raise self._error(
            item,
            f"none of its checks recognises this item ({', '.join(f'check_{one}' for one in self._checks)})",
        )

    def _number(self, wire: Any) -> int | None:
        """The version an attribute holds; None when that is no number."""
        if wire is None:
            return self._versions.numbers[0]
        try:
            return int(wire["N"])
        except (KeyError, TypeError, ValueError):
            return None

    def _known_number(self, item: WireItem, number: int | None) -> int:
        if number is not None and number in self._versions.numbers:
            return number
        attribute = self._versions.attribute
        if number is None:
            raise self._error(item, f"its attribute {attribute} is no version: it must be a whole number")
        newer = "; a newer program wrote it, so update this one" if number > self._versions.latest else ""
        raise self._error(item, f"this item says that it is of version {number}, which is not known here{newer}")

    def _looks_like(self, number: int, values: dict[str, Any], item: WireItem, version: int | None) -> bool:
        check = self._checks[number]
        try:
            return bool(check(values))
        except Exception as error:  # noqa: BLE001 - a method of the user's
            raise self._error(
                item, f"check_{number} raised {place_of(error)}; a check answers for any item", version
            ) from None

    def _migrated(self, item: WireItem, version: int) -> WireItem:
        """A stored item as the latest version.

        Raises:
            DecodeError: a migration failed, or gave what can't be that item.
        """
        values = self._values(item)
        attribute = self._versions.attribute
        for number, step in self._steps:
            if number <= version:
                continue
            name = f"migrate_to_{number}"
            try:
                returned = step(values)
            except Exception as error:  # noqa: BLE001 - a method of the user's
                raise self._error(item, f"{name} raised {place_of(error)}", version) from None
            if type(returned) is not dict:
                raise self._error(
                    item, f"{name} returned {type(returned).__name__}; return the item it was given, changed", version
                )
            values = returned
            if attribute is not None:
                values[attribute] = number
            elif not self._looks_like(number, values, item, version):
                raise self._error(
                    item,
                    f"{name} gave an item that check_{number} does not recognise, so once written it would be migrated "
                    "again and again",
                    version,
                )
        migrated = self._wire(values, item, version)
        for name in self.fixed_names:
            if not _same(item.get(name), migrated.get(name)):
                raise self._error(item, f"the migrations changed {name}, {self._why_fixed(name)}", version)
        return migrated

    def _why_fixed(self, name: str) -> str:
        if name in self.key_names:
            return "which is part of the key, which an item keeps for life"
        if self.mapping.family is not None and name == self.mapping.family.stored_name:
            return "which says of which class the item is"
        return "which is its version()"

    def _values(self, item: WireItem) -> dict[str, Any]:
        """A copy of an item as plain values."""
        try:
            return {name: decode_any(wire) for name, wire in item.items()}
        except (Misfit, ArithmeticError) as misfit:
            raise self._error(item, str(misfit)) from None

    def _wire(self, values: Mapping[Any, Any], item: WireItem, version: int) -> WireItem:
        found: WireItem = {}
        for name, value in values.items():
            if type(name) is not str or not name:
                raise self._error(item, "the migrations left a name that is no text, or empty", version)
            stored = item.get(name)
            wire = self._attribute_wire(name, value, item, version)
            if wire is not None:
                # What is the same keeps the form it is stored in.
                unchanged = stored is not None and _same(encode_any(decode_any(stored)), wire)
                found[name] = stored if unchanged else wire
        return found

    def _attribute_wire(self, name: str, value: Any, item: WireItem, version: int) -> Any:
        try:
            return encode_any(value)
        except Misfit as misfit:
            reason = str(misfit)
        attribute = self._by_stored_name.get(name)
        if attribute is not None:
            try:
                return self.codecs[attribute.name].encode(value)
            except (*ENCODE_FAILURES, ValidationError) as error:
                reason = getattr(error, "message", str(error))
        raise self._error(item, f"the migrations left {name}, and its value {reason}", version)

    def _error(self, item: WireItem, what: str, version: int | None = None) -> DecodeError:
        key = {name: item[name] for name in self.key_names if name in item}
        of_version = "" if version is None else f" of version {version}"
        return DecodeError(
            f"{self.name}: {self._migrations_name}: {what}; in an item{of_version} of table "
            f"{self.mapping.table}" + ("; its key is in this error's .key" if key else ""),
            model=self.name,
            key=key,
            path="",
            version=version,
        )


def _same(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return bool(canonical(one) == canonical(other))


def _with_bytes(item: WireItem) -> WireItem:
    """An item as it came, with its binary as ``bytes`` in place of base64 text."""
    return {name: _value_with_bytes(wire) for name, wire in item.items()}


def _value_with_bytes(wire: dict[str, Any]) -> dict[str, Any]:
    ((tag, payload),) = wire.items()
    if tag == "M":
        return {"M": _with_bytes(payload)}
    if tag == "L":
        return {"L": [_value_with_bytes(one) for one in payload]}
    if tag == "B":
        return {"B": decode_any(wire)}
    if tag == "BS":
        return {"BS": [decode_any({"B": one}) for one in payload]}
    return wire
