"""The part of a codec plan that reads: from responses to instances, and to errors that say what does not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import DecodeError
from ..mapping.value_codec import shown_path
from .diagnosis import fit_text, locate
from .records import RecordCodec
from .source import made_later

if TYPE_CHECKING:
    from ..mapping.adapters.base import Adapter
    from ..mapping.class_mapping import ClassMapping
    from .key_only import KeyOnly

__all__ = ["NO_POSITION", "Page", "ReadingPlan", "WireItem"]

WireItem = dict[str, Any]

NO_POSITION = msgspec.Raw()
"""Stands for a missing LastEvaluatedKey."""


class Page(msgspec.Struct, gc=False):
    """One page of a Query or Scan as it came.

    Attributes:
        Items: the items, decoded as far as the plan's wire types go.
        Count, ScannedCount: items after and before the filter.
        LastEvaluatedKey: where the next page starts, as raw JSON; NO_POSITION when this was the last.
        ConsumedCapacity: what it cost, when asked for.
    """

    Items: Any = ()
    Count: int = 0
    ScannedCount: int = 0
    LastEvaluatedKey: msgspec.Raw = NO_POSITION
    ConsumedCapacity: Any = None


class ReadingPlan:
    """What a plan does with what comes from the service; see :class:`~.plan.ClassPlan` for its attributes."""

    mapping: ClassMapping
    name: str
    record: RecordCodec
    key_names: tuple[str, ...]
    key_only: KeyOnly | None
    adapter: Adapter
    build: Callable[[Any], Any]
    build_many: Callable[[Any], list[Any]]
    load_before: Callable[[WireItem], None] | None
    load_after: Callable[[Any], None] | None

    if TYPE_CHECKING:

        @property
        def members(self) -> Any:
            """The type msgspec reads an item into, for ``build``."""
            ...

    def _compile_reading(self) -> None:
        members = self.members
        one = members if members is msgspec.Raw else members | None
        one_item: Any = [("item", one, None), ("ConsumedCapacity", Any, None)]
        self._read_item = made_later(self, "_read_item", lambda: _decoder("ItemOutput", one_item, item="Item"))
        self._read_attributes = made_later(
            self, "_read_attributes", lambda: _decoder("AttributesOutput", one_item, item="Attributes")
        )
        page: Any = [("Items", list[members], ()), *_page_fields]  # type: ignore[valid-type]
        self._read_page = made_later(self, "_read_page", lambda: _decoder("PageOutput", page))

    def read_item(self, response: bytes) -> tuple[Any, Any]:
        """The instance in a GetItem response, or None, and the consumed capacity.

        Raises:
            DecodeError: the item does not fit the class.
        """
        return self._read_one(self._read_item, response, "Item")

    def read_attributes(self, response: bytes) -> tuple[Any, Any]:
        """The instance in the ``Attributes`` of a write's response, or None, and the consumed capacity.

        Raises:
            DecodeError: the item does not fit the class.
        """
        return self._read_one(self._read_attributes, response, "Attributes")

    def _read_one(self, decode: Callable[[bytes], Any], response: bytes, member: str) -> tuple[Any, Any]:
        if self.load_before is not None:
            response = self._changed(response, member)
        try:
            output = decode(response)
            wire = output.item
            item = None if wire is None else self.build(wire)
        except Exception as failure:  # noqa: BLE001 - constructors raise what they like
            misfit = self.misfit_in(_untyped(response, failure).get(member))
        else:
            if self.load_after is not None and item is not None:
                self.load_after(item)
            return item, output.ConsumedCapacity
        raise misfit

    def read_page(self, response: bytes, misfits: list[DecodeError] | None = None) -> tuple[list[Any], Page]:
        """The instances in a Query or Scan response, and the page.

        Args:
            response: the response body.
            misfits: takes the errors of items that do not fit; None: the first one is raised.

        Raises:
            DecodeError: an item does not fit the class.
        """
        if self.load_before is not None:
            response = self._changed(response, "Items")
        page: Any = None
        items: Any = None
        try:
            page = self._read_page(response)
            items = self.build_many(page.Items)
        except Exception as failure:  # noqa: BLE001 - constructors raise what they like, with the values
            _untyped(response, failure)
        if items is None:
            items, page = self._read_page_slowly(response, misfits)
        if self.load_after is not None:
            for item in items:
                self.load_after(item)
        return items, page

    def _read_page_slowly(self, response: bytes, misfits: list[DecodeError] | None) -> tuple[list[Any], Page]:
        page = msgspec.json.decode(response, type=Page)
        instances: list[Any] = []
        for item in page.Items:
            try:
                instances.append(self._of_wire(item))
            except DecodeError as error:
                if misfits is None:
                    raise
                misfits.append(error)
        return instances, page

    def from_wire(self, item: WireItem) -> Any:
        """The instance of an item as DynamoDB's JSON writes it.

        Raises:
            DecodeError: the item does not fit the class.
        """
        if self.load_before is not None:
            item = dict(item)
            self.load_before(item)
        instance = self._of_wire(item)
        if self.load_after is not None:
            self.load_after(instance)
        return instance

    def _changed(self, response: bytes, member: str) -> bytes:
        """The response with its item, or items, as what is called before they are loaded leaves them."""
        output = msgspec.json.decode(response)
        found = output.get(member)
        if found:
            assert self.load_before is not None
            for item in found if isinstance(found, list) else (found,):
                self.load_before(item)
            return msgspec.json.encode(output)
        return response

    def _of_wire(self, item: WireItem) -> Any:
        try:
            return self.build(msgspec.json.decode(msgspec.json.encode(item), type=self.members, strict=False))
        except Exception:  # noqa: BLE001 - constructors raise what they like
            misfit = self.misfit_in(item)
        raise misfit

    def misfit_in(self, item: WireItem | None) -> DecodeError:
        """The error that says which value of an item does not fit the class, and where."""
        whole = (item or {}) if self.key_only is None else self.key_only.with_sources(item or {})
        path, expected, found = locate(self.record, {"M": whole})
        key = {name: item[name] for name in self.key_names if name in item} if item else None
        where = f"{self.name}.{shown_path(path)}" if path else self.name
        return DecodeError(
            f"{where}: {fit_text(expected, found)}, in an item of table {self.mapping.table or self.name}"
            + ("; its key is in this error's .key" if key else ""),
            model=self.name,
            key=key,
            path=path,
            expected=expected,
            found=found,
        )

    # ------------------------------------------------------------------ what was loaded

    def normalised(self, item: WireItem) -> WireItem:
        """An item in DynamoDB's JSON as this plan would have encoded what it reads from it.

        Raises:
            DecodeError: the item does not fit the class.
        """
        if self.load_before is not None:
            item = dict(item)
            self.load_before(item)
        return self.loaded_wire(self.adapter.loaded(self._of_wire(item)))

    def loaded_wire(self, loaded: Any) -> WireItem:
        """The item an instance was loaded from or last written as, encoded as this plan encodes it.

        Limits do not count here: what is stored may be older than they are.
        """
        if isinstance(loaded, dict):
            return loaded
        record = self.record.unconstrained
        assert isinstance(record, RecordCodec)
        wire: WireItem = record.encode_members(self._instance(loaded))
        present = {
            attribute.stored_name
            for position, attribute in enumerate(self.record.fields.attributes)
            if getattr(loaded, f"f{position}") is not None
        }
        return {name: value for name, value in wire.items() if name in present}

    def _instance(self, loaded: Any) -> Any:
        return self.build(loaded)


_page_fields: Mapping[str, Any] | Any = [
    ("Count", int, 0),
    ("ScannedCount", int, 0),
    ("LastEvaluatedKey", msgspec.Raw, NO_POSITION),
    ("ConsumedCapacity", Any, None),
]


def _decoder(name: str, fields: Any, **renamed: str) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(msgspec.defstruct(name, fields, rename=renamed, gc=False), strict=False).decode


def _untyped(response: bytes, failure: Exception) -> dict[str, Any]:
    """The response as plain JSON, when reading it into types failed."""
    try:
        decoded: dict[str, Any] = msgspec.json.decode(response)
    except msgspec.DecodeError:
        raise DecodeError("the response is not DynamoDB's JSON; is the endpoint a DynamoDB?") from None
    if isinstance(failure, MemoryError):
        raise failure
    return decoded
