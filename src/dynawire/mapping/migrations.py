"""Versions of a class: how items written by earlier programs become what the class is today."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from ..errors import SchemaError

__all__ = ["Migrations", "Versions", "is_migrations"]

Item = dict[str, Any]

_VERSION = re.compile(r"0|[1-9]\d*")


class Versions(msgspec.Struct, frozen=True):
    """What a class of migrations says.

    Attributes:
        numbers: the versions there are, ascending.
        attribute: the stored name of the attribute that holds an item's version; None: the checks tell.
        checks: names of the checks by version; empty when there is a version attribute.
        steps: names of the migrations by the version they lead to.
    """

    numbers: tuple[int, ...]
    attribute: str | None
    checks: Mapping[int, str]
    steps: Mapping[int, str]

    @property
    def latest(self) -> int:
        """The version the class is today."""
        return self.numbers[-1]


class Migrations:
    """How items of earlier versions become what the class is today.

    ``class Book(Model, table="books", migrations=BookMigrations)`` uses ``class BookMigrations(Migrations)``.
    ``check_N(self, item)`` says whether an item looks like version N; of those that say so the highest counts.
    ``migrate_to_N(self, item)`` takes a copy of an item of the version before, and returns it as version N. Both see
    the raw item: a dict of stored names to plain values (text, int, Decimal for numbers with a fraction, bool, None,
    bytes, list, dict and set). A migration may also put in what the class's attribute takes, such as a datetime.

    When an item is read, its version is found and every later migration runs, in order. The instance is then what the
    class says; ``save()`` writes the difference, provided that nobody changed the item meanwhile, and
    ``Book.migrate_all()`` does so for the whole table. What is stored changes only then.

    With ``class BookMigrations(Migrations, version="schema_version")`` an attribute of this stored name holds the
    version instead of checks: an item without it is of the first one, migrations need not set it, and the class
    declares it with the latest version as its default.

    Names of helpers begin with an underscore. One instance, made without arguments, serves all reads, so it keeps no
    state. Any number may be the first version, and numbers may be left out.

    Raises:
        SchemaError: a version has no check, or one after the first no migration; raised when the class is made.
    """

    __versions__: ClassVar[Versions]

    def __init_subclass__(cls, *, version: str | None = None, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if version is None:
            inherited = getattr(cls, "__versions__", None)
            version = None if inherited is None else inherited.attribute
        cls.__versions__ = _Declaration(cls, version).versions()


def is_migrations(given: Any) -> bool:
    """Whether this is a class that says how items are migrated."""
    return isinstance(given, type) and issubclass(given, Migrations) and given is not Migrations


class _Declaration:
    def __init__(self, cls: type[Migrations], attribute: Any) -> None:
        self._cls = cls
        self._attribute = attribute

    def _error(self, message: str, method: str | None = None) -> SchemaError:
        name = self._cls.__name__
        return SchemaError(f"{name}{(method and f'.{method}') or ''}: {message}", model=name, attribute=method)

    def versions(self) -> Versions:
        attribute = self._attribute
        if attribute is not None and (not isinstance(attribute, str) or not attribute):
            raise self._error('version= is the stored name of an attribute, such as "schema_version"')
        checks = self._methods("check_")
        steps = self._methods("migrate_to_")
        self._refuse_misnamed()
        if attribute is None:
            self._check_chain(checks, steps)
            numbers = sorted(checks)
        else:
            if checks:
                raise self._error(
                    f"the attribute {attribute} tells the version, so it would never be called; drop it, or version=",
                    checks[min(checks)],
                )
            if not steps:
                raise self._error("no migrations; write migrate_to_2(self, item)")
            numbers = [min(steps) - 1, *sorted(steps)]
        if numbers[0] < 0:
            raise self._error("there is no version before 0; migrations begin with migrate_to_1", steps[min(steps)])
        return Versions(tuple(numbers), attribute, checks, steps)

    def _methods(self, prefix: str) -> dict[int, str]:
        found: dict[int, str] = {}
        for name in dir(self._cls):
            if not name.startswith(prefix):
                continue
            number = name.removeprefix(prefix)
            if not _VERSION.fullmatch(number):
                raise self._error(
                    f"{number!r} is no version; write {prefix}2 for version 2, and _{name} for a helper", name
                )
            method = getattr(self._cls, name)
            if not callable(method):
                raise self._error("must be a method that takes the raw item", name)
            from .functions import is_async

            if is_async(method):
                raise self._error(
                    "is called while an item is read, blocking or not, so it can't be async; drop 'async'", name
                )
            found[int(number)] = name
        return found

    def _refuse_misnamed(self) -> None:
        for name in dir(self._cls):
            if name.startswith("migrate") and not name.startswith("migrate_to_"):
                raise self._error(f"would never be called; write migrate_to_N, and _{name} for a helper", name)

    def _check_chain(self, checks: dict[int, str], steps: dict[int, str]) -> None:
        if not checks:
            raise self._error(
                "no versions; write check_1(self, item), which says whether an item looks like version 1, or "
                'class ...(Migrations, version="schema_version")'
            )
        for number in sorted(checks)[1:]:
            if number not in steps:
                raise self._error(
                    f"there is no migrate_to_{number}, so no earlier item could become one of version {number}",
                    checks[number],
                )
        for number, name in sorted(steps.items()):
            if number not in checks:
                raise self._error(f"there is no check_{number}, so its result would never be recognised", name)
            if number == min(checks):
                raise self._error(
                    f"{number} is the first version, so nothing can be migrated to it; drop it, or write a check for "
                    "the version before",
                    name,
                )
