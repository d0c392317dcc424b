"""What people write in a class out of habit from other libraries, and what it is here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from ..errors import SchemaError
from .annotations import annotation_text, body_annotations
from .attributes import AttributeDeclaration

__all__ = [
    "annotation_advice",
    "body_advice",
    "is_attr",
    "is_one_subscript",
    "keyword_advice",
    "refuse_unread_mixins",
    "text_head",
]

Error = Callable[[str, str | None], SchemaError]

_QUOTED = r"""'[^']*'|"[^"]*\""""
_EMPTY = r"\[\s*\]\s*$"
_TABLE_KEYWORDS = ("table_name", "tablename", "name", "table_prefix")
_TABLE_NAMES = ("__table__", "__tablename__", "__table_name__", "table_name")
_SETTINGS = ("Meta", "Settings", "Config", "model_config")


def keyword_advice(name: str) -> str | None:
    """What to write instead of a class keyword of another library; None when it is of none."""
    if name == "table_prefix":
        return 'a prefix is the database\'s: connect(..., table_prefix="...")'
    return 'the table is named by table="..."' if name in _TABLE_KEYWORDS else None


def body_advice(name: str, value: Any) -> str | None:
    """What to write instead of a name in the class body that means nothing here; None when it is fine."""
    if name in ("__init__", "__new__"):
        return (
            f"defines {name}, which would never be called; instances are made of their attributes by keyword: give "
            "defaults with attr(default=...) or attr(default_factory=...), and do what remains in __post_init__(self), "
            "which runs after reading too; for another way to make one write a @classmethod"
        )
    if name in _TABLE_NAMES and isinstance(value, str):
        return f'has {name} = ..., which means nothing here; write the table as class keyword: (Model, table="...")'
    if name in _SETTINGS and isinstance(value, (type, dict)):
        return (
            f"has a {name} of settings, which means nothing here; write them as class keywords: "
            '(Model, table="...", billing="...")'
        )
    return None


def text_head(text: str) -> str:
    """The last name before the brackets of an annotation that is text: ``Attr`` of ``dw.Attr[int]``."""
    return text.partition("[")[0].strip().rpartition(".")[2]


def is_one_subscript(text: str) -> bool:
    """Whether the text of an annotation is a name with filled brackets, as ``Attr[int] | None`` is not."""
    opened = re.sub(_QUOTED, "x", text).strip()
    depth = 0
    for place, one in enumerate(opened):
        depth += (one == "[") - (one == "]")
        if one == "]" and depth == 0:
            return place == len(opened) - 1 and re.search(_EMPTY, opened) is None
    # Brackets that do not match are told when it is evaluated.
    return depth > 0 and opened.endswith("]")


def is_attr(annotation: Any, attribute_type: Any) -> bool:
    """Whether an annotation, or its text, is an ``Attr[...]``, as far as can be told without evaluating it."""
    text = annotation_text(annotation)
    if text is not None:
        return text_head(text) == str(attribute_type.__name__)
    return (get_origin(annotation) or annotation) is attribute_type


def annotation_advice(name: str, annotation: Any, attribute_type: Any) -> str | None:
    """What to write when ``Attr[...]`` stands inside of what belongs inside of it; None when it does not."""
    text = annotation_text(annotation)
    if text is not None:
        found = f"{attribute_type.__name__}[" in text and not re.search(_EMPTY, text)
        is_annotated = text_head(text) == "Annotated"
        is_final = text_head(text) == "Final"
    else:
        found = any(is_attr(one, attribute_type) for one in get_args(annotation))
        is_annotated = get_origin(annotation) is Annotated or hasattr(annotation, "__metadata__")
        is_final = not is_annotated and get_origin(annotation) is not Union and len(get_args(annotation)) == 1
    if not found:
        return None
    if is_annotated:
        return f"Annotated stands inside: write {name}: Attr[Annotated[..., ...]]"
    if is_final:
        return f"Attr stands outside: write {name}: Attr[...]; for a value that never changes attr(immutable=True)"
    return f"None and other types stand inside: write {name}: Attr[... | None] = attr(default=None)"


def refuse_unread_mixins(
    bases: Iterable[type[Any]], attribute_type: Any, is_read: Callable[[type[Any]], bool], remedy: str, error: Error
) -> None:
    """Refuse plain classes as bases that declare attributes: nothing would read them.

    Args:
        bases: the bases of the class that is made.
        attribute_type: ``Attr``.
        is_read: whether the attributes a class declares are known.
        remedy: what to derive such a class from: ``Model, abstract=True``.
        error: makes the error.

    Raises:
        SchemaError: it names the class and the attribute.
    """
    for base in bases:
        for cls in base.__mro__:
            if is_read(cls) or cls.__module__.partition(".")[0] in ("builtins", "dynawire", "typing"):
                continue
            found = _declared_in(cls.__dict__, attribute_type)
            if found is not None:
                raise error(
                    f"{cls.__name__}, one of its bases, declares {found}, but is no mapped class, so that {found} "
                    f"would be lost; write class {cls.__name__}({remedy})",
                    found,
                )


def _declared_in(body: Mapping[str, Any], attribute_type: Any) -> str | None:
    for name, value in body.items():
        if isinstance(value, AttributeDeclaration):
            return name
    annotations = body_annotations(dict(body))
    return next((name for name, one in annotations.items() if is_attr(one, attribute_type)), None)
