"""The codec plan of a class that shares its table with classes derived from it: each item is read as its own class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ..errors import DecodeError, ValidationError
from ..mapping.families import Family
from .plan import ClassPlan
from .reading import NO_POSITION, Page, WireItem

__all__ = ["FamilyPlan"]


class _RawItem(msgspec.Struct, gc=False):
    Item: msgspec.Raw = NO_POSITION
    ConsumedCapacity: Any = None


class _RawAttributes(msgspec.Struct, gc=False):
    Attributes: msgspec.Raw = NO_POSITION
    ConsumedCapacity: Any = None


class _RawPage(msgspec.Struct, gc=False):
    Items: list[msgspec.Raw] = []
    Count: int = 0
    ScannedCount: int = 0
    LastEvaluatedKey: msgspec.Raw = NO_POSITION
    ConsumedCapacity: Any = None


class _Text(msgspec.Struct, gc=False):
    S: str


_read_raw_item = msgspec.json.Decoder(_RawItem).decode
_read_raw_attributes = msgspec.json.Decoder(_RawAttributes).decode
_read_raw_page = msgspec.json.Decoder(_RawPage).decode


class FamilyPlan(ClassPlan):
    """A plan that looks at each item's discriminator first, and lets the plan of the item's class read the rest.

    What is an item of a class that is not derived from this one is read as None: there is no such item of this class.
    """

    family: Family

    def _compile(self) -> None:
        super()._compile()
        assert self.mapping.family is not None
        self.family = family = self.mapping.family
        tagged = msgspec.defstruct(
            "Tagged", [("tag", _Text | None, None)], rename={"tag": family.stored_name}, gc=False
        )
        self._read_tag: Callable[[Any], Any] = msgspec.json.Decoder(tagged).decode
        tags = msgspec.defstruct("Tags", [("Items", list[tagged], ())], gc=False)  # type: ignore[valid-type]
        self._read_tags: Callable[[bytes], Any] = msgspec.json.Decoder(tags).decode
        self._read_members: Callable[[Any], Any] = msgspec.json.Decoder(self.members, strict=False).decode
        self._tag = {"S": family.tag_of(self.mapping.cls)}

    # ------------------------------------------------------------------ writing

    def encode(self, instance: Any) -> WireItem:
        wire = super().encode(instance)
        if wire.get(self.family.stored_name) != self._tag:
            raise ValidationError(
                f"{self.name}.{self.family.name} says of which class the item is, and can't be assigned; nothing was "
                "sent",
                model=self.name,
                attribute=self.family.name,
            )
        return wire

    def encode_without_limits(self, instance: Any) -> WireItem | None:
        wire = super().encode_without_limits(instance)
        return wire if wire is not None and wire.get(self.family.stored_name) == self._tag else None

    # ------------------------------------------------------------------ reading

    def read_item(self, response: bytes) -> tuple[Any, Any]:
        output = _read_raw_item(response)
        return self._read_raw(output.Item), output.ConsumedCapacity

    def read_attributes(self, response: bytes) -> tuple[Any, Any]:
        output = _read_raw_attributes(response)
        return self._read_raw(output.Attributes), output.ConsumedCapacity

    def read_page(self, response: bytes, misfits: list[DecodeError] | None = None) -> tuple[list[Any], Page]:
        only = self._only_plan(response)
        if only is not None:
            return ClassPlan.read_page(only, response, misfits)
        page: Any = _read_raw_page(response)
        read = self._read_raw
        instances: list[Any] = []
        for raw in page.Items:
            try:
                instance = read(raw)
            except DecodeError as error:
                if misfits is None:
                    raise
                misfits.append(error)
            else:
                if instance is not None:
                    instances.append(instance)
        return instances, page

    def _only_plan(self, response: bytes) -> FamilyPlan | None:
        """The plan of all items of a page, when they are of one class that is derived from this one; else None."""
        try:
            tags = {None if one.tag is None else one.tag.S for one in self._read_tags(response).Items}
        except msgspec.ValidationError:
            return None
        found = self.family.class_of(next(iter(tags))) if len(tags) == 1 else None
        if found is None or not issubclass(found, self.mapping.cls):
            return None
        plan: FamilyPlan = self.family.plan_of(found)
        return plan

    def _read_raw(self, raw: msgspec.Raw) -> Any:
        if not raw:
            return None
        try:
            found = self._read_tag(raw).tag
        except msgspec.ValidationError:
            misfit = self._untagged(msgspec.json.decode(raw))
            raise misfit from None
        plan = self._plan_of(None if found is None else found.S, raw)
        if plan is None:
            return None
        if plan.load_before is not None:
            item = msgspec.json.decode(raw)
            plan.load_before(item)
            raw = msgspec.Raw(msgspec.json.encode(item))
        try:
            instance = plan.build(plan._read_members(raw))
        except Exception:  # noqa: BLE001 - constructors raise what they like
            misfit = plan.misfit_in(msgspec.json.decode(raw))
        else:
            if plan.load_after is not None:
                plan.load_after(instance)
            return instance
        raise misfit

    def _plan_of(self, tag: str | None, item: Any) -> FamilyPlan | None:
        """The plan of an item's class; None when that is not derived from this one."""
        cls = self.mapping.cls
        found = self.family.class_of(tag)
        if found is cls:
            return self
        if found is None:
            if cls is not self.family.root:
                return None
            raise self._untagged(msgspec.json.decode(item) if isinstance(item, msgspec.Raw) else item)
        if not issubclass(found, cls):
            return None
        plan = self.family.plan_of(found)
        assert isinstance(plan, FamilyPlan)
        return plan

    def _untagged(self, item: WireItem) -> DecodeError:
        key = {name: item[name] for name in self.key_names if name in item}
        known = ", ".join(one.__name__ for one in (self.family.class_of(tag) for tag in self._known_tags()) if one)
        return DecodeError(
            f"{self.name}.{self.family.name} of an item of table {self.mapping.table} names none of the classes that "
            f"are known ({known}); import the module that declares its class, or declare it with tag=...; its key "
            "is in this error's .key",
            model=self.name,
            key=key,
            path=self.family.name,
            expected="the tag of a class",
            found="another value",
        )

    def _known_tags(self) -> list[str]:
        return self.family.tags_below(self.family.root)

    def plan_of_item(self, item: WireItem) -> FamilyPlan | None:
        """The plan of an item's class; None when that is not derived from this one.

        Raises:
            DecodeError: no class has the item's discriminator.
        """
        stored = item.get(self.family.stored_name)
        tag = stored.get("S") if isinstance(stored, dict) else None
        if stored is not None and not isinstance(tag, str):
            raise self._untagged(item)
        return self._plan_of(tag, item)

    def from_wire(self, item: WireItem) -> Any:
        plan = self.plan_of_item(item)
        return None if plan is None else ClassPlan.from_wire(plan, item)
