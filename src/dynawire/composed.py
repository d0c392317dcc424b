"""Declaring attributes that are computed from others: ``joined``, ``template`` and ``computed``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from .mapping.attributes import AttributeDeclaration
from .mapping.computed import ComputedDeclaration, Missing
from .mapping.functions import is_async
from .mapping.templates import DEFAULT_SEPARATOR, Template
from .operations.mapped import mapped

__all__ = ["ComputedAttribute", "computed", "joined", "template"]

# ``init`` is for type checkers alone: it tells them that the attribute is no parameter of the constructor.


def joined(
    *sources: str,
    separator: str = DEFAULT_SEPARATOR,
    missing: Missing = "absent",
    name: str | None = None,
    init: Literal[False] = False,
) -> Any:
    """Declare an attribute that joins others.

    ``place: Attr[str] = joined("country", "city")``

    Args:
        sources: Python names of the attributes, in order.
        separator: the character between them. What a value has of it is percent-encoded, so that two different items
            never have one text.
        missing: when one of them is None, ``"absent"`` leaves the attribute out (an index on it then does not have the
            item), ``"error"`` refuses the write.
        name: its name in DynamoDB; the Python name unless given.
        init: always False: it is no parameter of the constructor.

    See :func:`template`, of which this is the short form of ``template("{country}#{city}")``.
    """
    if len(sources) < 2 or not all(str(one).isidentifier() for one in sources):
        return _declared(
            ComputedDeclaration(problem='joins two or more attributes, given by name: joined("a", "b")'), name
        )
    return template(separator.join(f"{{{one}}}" for one in sources), separator=separator, missing=missing, name=name)


def template(
    text: str,
    *,
    separator: str = DEFAULT_SEPARATOR,
    missing: Missing = "absent",
    name: str | None = None,
    init: Literal[False] = False,
) -> Any:
    """Declare an attribute that is composed of others.

    ``key: Attr[str] = template("ORDER#{created}#{number:08}")``. It is on every
    instance, always as its sources are; every write of the item keeps it so, and it can't be set.
    Sources may be ``str``, ``int``, ``Decimal``, ``float``, ``bool``, ``datetime``, ``date``, ``time``, ``timedelta``,
    ``UUID``, enumerations of text or whole numbers, and ``| None`` of these.

    Args:
        text: literals, and in braces the Python names of attributes. Numbers sort as they are (also below zero);
            ``{number:08}`` pads whole numbers of 0 or more with zeros instead, ``{number:d}`` writes them plainly, so
            that they do not sort. ``{{`` and ``}}`` are braces.
        separator: the character that ends each component. What a value has of it is percent-encoded.
        missing: when a source is None, ``"absent"`` leaves the attribute out, ``"error"`` refuses the write.
        name: its name in DynamoDB; the Python name unless given.
        init: always False: it is no parameter of the constructor.

    Raises (when the class is made):
        SchemaError: a source is unknown or of another type, or where a component ends could not be told.
    """
    if missing not in ("absent", "error"):
        return _declared(ComputedDeclaration(problem=f"has missing={missing!r}; write 'absent' or 'error'"), name)
    try:
        parsed = Template.parse(text, separator)
    except ValueError as error:
        return _declared(ComputedDeclaration(problem=f"has a template that can't work: {error}"), name)
    return _declared(ComputedDeclaration(sources=parsed.names, template=parsed, missing=missing), name)


def computed(function: Callable[..., Any], *sources: str, name: str | None = None, init: Literal[False] = False) -> Any:
    """Declare an attribute that a function computes.

    ``lower: Attr[str] = computed(str.lower, "title")``. It is on every
    instance, always as its sources are; every write of the item keeps it so, and it can't be set.

    Args:
        function: takes the values of the sources in their order, and gives the value; None leaves the attribute out.
            It is called whenever a value is needed, so it should be quick, and give the same for the same values. What
            it raises becomes a ``ValidationError`` that names the attribute and the function's line, not the values.
        sources: Python names of the attributes.
        name: its name in DynamoDB; the Python name unless given.
        init: always False: it is no parameter of the constructor.
    """
    problem = None
    if not callable(function):
        problem = 'takes a function first, then names of attributes: computed(str.lower, "title")'
    elif is_async(function):
        problem = "is computed by an async function, and nothing awaits it where the attribute is looked at"
    elif not sources or not all(str(one).isidentifier() for one in sources):
        problem = 'names the attributes it is computed from: computed(str.lower, "title")'
    elif len(set(sources)) < len(sources):
        problem = "names an attribute twice"
    return _declared(ComputedDeclaration(sources=sources, function=function, problem=problem), name)


def _declared(found: ComputedDeclaration, name: str | None) -> AttributeDeclaration:
    return AttributeDeclaration(name=name, computed=found)


class ComputedAttribute:
    """The attribute of an instance that is computed from others."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        found = mapped(owner)
        if instance is None:
            return found.paths[self._name]
        assert found.computed is not None
        return found.computed.value_of(instance, self._name)

    def __set__(self, instance: Any, value: Any) -> None:
        sources = mapped(type(instance)).mapping.attributes[self._name].computed_from
        raise AttributeError(
            f"{type(instance).__name__}.{self._name} is computed from {', '.join(sources)}, and can't be set; "
            "assign those"
        )

    def __delete__(self, instance: Any) -> None:
        self.__set__(instance, None)
