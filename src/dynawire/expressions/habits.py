"""What people write as keywords out of habit from other libraries, and what it is here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..mapping.class_mapping import nearest

__all__ = ["method_advice", "operator_advice", "unknown_attribute"]

_NONE = "{name}=None is true of what is absent or NULL, {name}__ne=None of what is there"
_CASE = "DynamoDB tells upper from lower case; keep a lower-case copy of the attribute and compare with that"
_NO_SUCH_TEST = "DynamoDB has no such test; filter the items in Python"

_CONDITIONS = {
    "startswith": "begins_with",
    "starts_with": "begins_with",
    "beginswith": "begins_with",
    "begins": "begins_with",
    "prefix": "begins_with",
    "exact": "eq",
    "equals": "eq",
    "range": "between",
    "le": "lte",
    "ge": "gte",
    "not": "ne",
    "neq": "ne",
    "not_eq": "ne",
    "not_equal": "ne",
    "has": "contains",
    "length": "size",
    "len": "size",
    "does_not_exist": "not_exists",
    "isnull": _NONE,
    "is_null": _NONE,
    "null": _NONE,
    "notnull": _NONE,
    "not_null": _NONE,
    "isnotnull": _NONE,
    "iexact": _CASE,
    "icontains": _CASE,
    "istartswith": _CASE,
    "iendswith": _CASE,
    "iregex": _CASE,
    "ilike": _CASE,
    "endswith": _NO_SUCH_TEST,
    "ends_with": _NO_SUCH_TEST,
    "regex": _NO_SUCH_TEST,
    "like": _NO_SUCH_TEST,
    "search": _NO_SUCH_TEST,
    "nin": "write ~{path}.in_(values)",
    "not_in": "write ~{path}.in_(values)",
    "not_contains": "write ~{path}.contains(value)",
}
"""By what others call it: the operator here, or a sentence."""

_UPDATES = {
    "inc": "add",
    "incr": "add",
    "increment": "add",
    "plus_equals": "add",
    "dec": "minus",
    "decr": "minus",
    "decrement": "minus",
    "sub": "minus",
    "subtract": "minus",
    "push": "append",
    "list_append": "append",
    "add_to_set": "add",
    "pull": "delete",
    "discard": "delete",
    "unset": "remove",
    "set_on_insert": "if_not_exists",
    "default": "if_not_exists",
}

_STEPS = {
    "limit": ".limit(...)",
    "page_size": ".page(size=...)",
    "reverse": ".reverse()",
    "scan_index_forward": ".reverse()",
    "descending": ".reverse()",
    "order_by": ".reverse(), or find(...).order_by(...)",
    "consistent": ".consistent()",
    "consistent_read": ".consistent()",
    "filter": ".where(...)",
    "filters": ".where(...)",
    "filter_condition": ".where(...)",
    "filter_expression": ".where(...)",
    "condition": ".where(...)",
    "project": ".project(...)",
    "projection": ".project(...)",
    "attributes_to_get": ".project(...)",
    "after": ".page(after=...)",
    "cursor": ".page(after=...)",
    "exclusive_start_key": ".page(after=...)",
    "last_evaluated_key": ".page(after=...)",
    "segments": ".parallel(...)",
    "total_segments": ".parallel(...)",
    "allow_scan": ".allow_scan()",
}
"""By what others give a query as a keyword: the step of the query here."""


def unknown_attribute(model: str, name: str, keyword: str, known: Mapping[str, Any], *, updates: bool) -> str:
    """The message for a keyword that names no attribute.

    Args:
        model: name of the class.
        name: what stands where the attribute's name is expected.
        keyword: the whole keyword.
        known: the class's attributes.
        updates: whether the keywords ask for updates, and not for conditions.
    """
    if not updates and name in _STEPS:
        return f"{model} has no attribute {name!r}; of a query it is a step of its own: write query(...){_STEPS[name]}"
    if not updates and name in ("index", "index_name", "using"):
        return (
            f"{model} has no attribute {name!r}; an index is queried by its name: write "
            f"{model}.name_of_the_index.query(...)"
        )
    if not keyword.isidentifier():
        return (
            f"{keyword!r} names no attribute of {model}; write attribute__operator or attribute__member, joined by two "
            f"underscores, such as {next(iter(known), 'name')}__ne"
        )
    listing = f"there are: {', '.join(known)}"
    return f"{model} has no attribute {name!r}{nearest(name, known, listing)}"


def operator_advice(path: str, name: str, operator: str, others: Mapping[str, Any], *, updates: bool) -> str | None:
    """What to write instead of an operator that there is not; None when nothing is known of it.

    Args:
        path: the path in front of it, for messages: ``Airport.name``.
        name: the same as keywords have it.
        operator: what was written.
        others: the operators of the other kind of keywords.
        updates: whether the keywords ask for updates, and not for conditions.
    """
    if not operator:
        return f"two underscores at its end ask for an operator; write {name}=... for {'set' if updates else '=='}"
    if operator in others:
        kind = "a condition's operator: give it as condition=..." if updates else "an update's operator"
        return f"{operator!r} is {kind}"
    found = (_UPDATES if updates else _CONDITIONS).get(operator)
    if found is None:
        return None
    if found.isidentifier():
        return f"write {name}__{found}=..."
    return found.format(name=name, path=path)


_SYMBOLS = {"eq": "==", "ne": "!=", "lte": "<=", "gte": ">=", "minus": ".set({path} - number)"}


def method_advice(name: str, path: str, method: str) -> str | None:
    """What to write instead of a path's method that there is not; None when nothing is known of it."""
    found = _CONDITIONS.get(method, _UPDATES.get(method))
    if found is None:
        return None
    if found == _NONE:
        return f"{path} == None is true of what is absent or NULL, {path} != None of what is there"
    if not found.isidentifier():
        return found.format(name=name, path=path)
    symbol = _SYMBOLS.get(found)
    if symbol is None:
        return f"write .{found}(...)"
    return f"write {symbol.format(path=path)}"
