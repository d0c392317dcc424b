"""What a declaration says of an attribute that is computed from others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from .templates import Template

__all__ = ["ComputedDeclaration", "Missing"]

Missing = Literal["absent", "error"]


class ComputedDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """How an attribute is computed. Exactly one of ``template`` and ``function`` says it.

    Attributes:
        sources: Python names of the attributes it is computed from, each once.
        template: composes their values to text.
        function: makes a value of theirs, given in the order of ``sources``.
        missing: what to do when a source is None: leave the attribute out, or refuse the write.
        when: lookups that an item must fulfil, or else it does not have the attribute.
        problem: what is wrong with the declaration, whatever the class; None when nothing.
    """

    sources: tuple[str, ...] = ()
    template: Template | None = None
    function: Callable[..., Any] | None = None
    missing: Missing = "absent"
    when: dict[str, Any] | None = None
    problem: str | None = None
