"""Declarations that stand where nothing would read them: as defaults, or inside types, of classes that are not ours."""

from __future__ import annotations

from typing import Any, get_args

from .attributes import AttributeDeclaration
from .indexes import IndexDeclaration

__all__ = ["is_declaration", "misplaced_default", "misplaced_in_type", "unread"]


def is_declaration(value: Any) -> bool:
    """Whether this is what a class body of ours declares an attribute, an index or a relation with."""
    return isinstance(value, (AttributeDeclaration, IndexDeclaration)) or _is_relation(value)


def _is_relation(value: Any) -> bool:
    from .relations import RelationDeclaration

    return isinstance(value, RelationDeclaration)


def misplaced_default(cls_name: str, name: str, default: Any) -> str | None:
    """Why an attribute of a class that is not ours can't have this default; None when it is a value."""
    if not is_declaration(default):
        return None
    shown, remedy = _shown(default), _remedy(cls_name, name, default)
    return f"has {shown} as its default, and only a class of dynawire's reads that; {remedy}"


def misplaced_in_type(cls_name: str, name: str, annotation: Any, *, is_ours: bool) -> str | None:
    """Why an attribute can't have this type, which has a declaration inside; None when it has none."""
    found = _inside(annotation)
    if found is None:
        return None
    shown = _shown(found)
    remedy = f"write {name}: Attr[...] = {shown[:-1]}...)" if is_ours else _remedy(cls_name, name, found)
    return f"has {shown} inside its type, where only the field of a pydantic model has one; {remedy}"


def unread(cls_name: str, name: str, value: Any) -> str:
    """What is said of a declaration that is an attribute of the class, and no field."""
    return f"is {_shown(value)}, which only a class of dynawire's reads; {_remedy(cls_name, name, value)}"


def _inside(annotation: Any) -> AttributeDeclaration | None:
    for one in getattr(annotation, "__metadata__", ()):
        if isinstance(one, AttributeDeclaration):
            return one
    return next((found for one in get_args(annotation) if (found := _inside(one)) is not None), None)


def _shown(declaration: Any) -> str:
    """The call that made a declaration, as far as it is told by what it says."""
    if isinstance(declaration, AttributeDeclaration):
        if declaration.computed is not None:
            return "joined()" if declaration.computed.function is None else "computed()"
        special = "ttl" if declaration.ttl else "counter" if declaration.counter is not None else "attr"
        return f"{declaration.role or declaration.upkeep or special}()"
    if isinstance(declaration, IndexDeclaration):
        return f"{type(declaration).__name__}(...)"
    return f"{declaration.facts.kind}(...)"


def _remedy(cls_name: str, name: str, declaration: Any) -> str:
    ours = f"make {cls_name} a Model or a PydanticModel"
    if isinstance(declaration, IndexDeclaration):
        said = f'indexes={{"{name}": {type(declaration).__name__}(...)}}'
    elif not isinstance(declaration, AttributeDeclaration):
        return f"{ours}, or keep the other's key in an attribute"
    elif declaration.computed is not None:
        return f"let the class compute it, or make {cls_name} a Model"
    elif declaration.role is not None:
        said = f'{declaration.role}="{name}"'
    elif declaration.counter is not None:
        said = f'attributes={{"{name}": attr(default=counter())}}'
    else:
        said = f'attributes={{"{name}": {_shown(declaration)[:-1]}...)}}'
    return f"tell the table: db.table({cls_name}, name=..., {said}), or {ours}"
