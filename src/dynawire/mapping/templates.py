"""Templates: one text composed of several attributes, ``"ORDER#{created_at}#{order_id}"``.

Two different sources never give one text: a component never holds the separator (what it has of that is encoded), and
each component is followed by the separator or stands at the end. So a text tells its sources, and a text of one
template tells itself from that of another with other literals or another number of segments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from .template_parts import MAX_WIDTH, Part

__all__ = ["DEFAULT_SEPARATOR", "BoundTemplate", "Component", "Template", "separator_problem", "successor"]

DEFAULT_SEPARATOR = "#"
_NO_SEPARATORS = "%{}"


class Component(msgspec.Struct, frozen=True):
    """A place for a value.

    Attributes:
        name: Python name of the attribute.
        width: of ``{name:08}``, to which a number is padded with zeros; None: not given.
        plain: whether a number is written as it is (``{name:d}``).
    """

    name: str
    width: int | None = None
    plain: bool = False


class Template(msgspec.Struct, frozen=True):
    """A parsed template.

    Attributes:
        text: as it was written.
        separator: the character that ends each component.
        literals: the texts around the components; one more than those.
        components: the places for values, in order.
    """

    text: str
    separator: str
    literals: tuple[str, ...]
    components: tuple[Component, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Python names of the sources, in order, each once."""
        return tuple(dict.fromkeys(component.name for component in self.components))

    @classmethod
    def parse(cls, text: str, separator: str = DEFAULT_SEPARATOR) -> Template:
        """The template of a text.

        Raises:
            ValueError: it is none; the message says why, and what to write.
        """
        problem = separator_problem(separator)
        if problem is not None:
            raise ValueError(problem)
        if not isinstance(text, str):
            raise ValueError(f'is text such as "USER#{{user_id}}", not {type(text).__name__}')
        literals, components = _parsed(text)
        for place, literal in enumerate(literals[1:], 1):
            is_last = place == len(components)
            if not (is_last and not literal) and not literal.startswith(separator):
                name = components[place - 1].name
                raise ValueError(
                    f"{{{name}}} must be followed by the separator {separator!r}, or else where it ends could not be "
                    f"told; write {{{name}}}{separator}..., or declare separator=..."
                )
        return cls(text, separator, tuple(literals), tuple(components))

    def may_have_made(self, text: str | None) -> bool:
        """Whether a text has the shape of this template."""
        import re

        if text is None:
            return False
        component = f"[^{re.escape(self.separator)}]*"
        return re.fullmatch(component.join(map(re.escape, self.literals)), text, re.DOTALL) is not None

    def overlaps(self, other: Template) -> bool:
        """Whether some values of both may give one text."""
        if self.separator != other.separator:
            return True
        mine, others = self._segments(), other._segments()
        return len(mine) == len(others) and all(map(_may_be_same, mine, others))

    def _segments(self) -> list[tuple[str, bool]]:
        """What stands between separators: a literal, and whether a component follows it."""
        segments: list[tuple[str, bool]] = []
        for place, literal in enumerate(self.literals):
            first, *others = literal.split(self.separator)
            if place:
                assert not first
            else:
                segments.append((first, False))
            segments += [(one, False) for one in others]
            if place < len(self.components):
                segments[-1] = (segments[-1][0], True)
        return segments


def _may_be_same(one: tuple[str, bool], other: tuple[str, bool]) -> bool:
    (literal, is_open), (other_literal, other_open) = one, other
    if is_open and other_open:
        return literal.startswith(other_literal) or other_literal.startswith(literal)
    if is_open:
        return other_literal.startswith(literal)
    return literal.startswith(other_literal) if other_open else literal == other_literal


def separator_problem(separator: object) -> str | None:
    """Why this can't be a separator; None when it can."""
    if (
        isinstance(separator, str)
        and len(separator) == 1
        and "!" <= separator <= "~"
        and not separator.isalnum()
        and separator not in _NO_SEPARATORS
    ):
        return None
    return (
        f"separator={separator!r}: write one printable ASCII character that is no letter, no digit and none of % {{ }}"
    )


def _parsed(text: str) -> tuple[list[str], list[Component]]:
    from string import Formatter

    literals: list[str] = [""]
    components: list[Component] = []
    try:
        pieces = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"{error}; write {{name}} for an attribute, and {{{{ or }}}} for a brace itself") from None
    for literal, name, spec, conversion in pieces:
        literals[-1] += literal
        if name is None:
            continue
        if conversion or not name.isidentifier():
            shown = f"{name}!{conversion}" if conversion else name
            raise ValueError(f"{{{shown}}} is no attribute's name; write {{name}}, {{name:08}} or {{name:d}}")
        components.append(_component(name, spec or ""))
        literals.append("")
    return literals, components


def _component(name: str, spec: str) -> Component:
    if not spec:
        return Component(name)
    if spec == "d":
        return Component(name, plain=True)
    if spec[0] == "0" and spec.isdigit() and 1 <= int(spec) <= MAX_WIDTH:
        return Component(name, width=int(spec))
    raise ValueError(
        f"{{{name}:{spec}}}: after the colon stands a width, such as 08 (up to {MAX_WIDTH}), to which numbers are "
        "padded with zeros, or d for a number as it is"
    )


class BoundTemplate:
    """A template whose components know how the values of their sources are written.

    Attributes:
        template: the template.
        parts: how each component is written.
        sources: stored name of each component's attribute.
    """

    __slots__ = ("parts", "sources", "template")

    def __init__(self, template: Template, parts: Sequence[Part], sources: Sequence[str]) -> None:
        self.template = template
        self.parts = tuple(parts)
        self.sources = tuple(sources)

    def text(self, wire: Mapping[str, Any]) -> str:
        """The text of an item that has every source.

        Raises:
            ValueError: a value can't be written; the second argument is the component's place.
        """
        literals = self.template.literals
        text = literals[0]
        for place in range(len(self.parts)):
            text += self.written(place, wire[self.sources[place]]) + literals[place + 1]
        return text

    def written(self, place: int, value: Mapping[str, Any]) -> str:
        """The text of one component.

        Raises:
            ValueError: the value can't be written; the second argument is the component's place.
        """
        part = self.parts[place]
        try:
            return part.encode(value[part.tag])
        except ValueError as error:
            raise ValueError(str(error), place) from None

    def read(self, text: str) -> dict[str, dict[str, Any]] | None:
        """The sources of a text, wire values by stored name; None when it is no text of this template."""
        literals, separator = self.template.literals, self.template.separator
        if not text.startswith(literals[0]):
            return None
        found: dict[str, dict[str, Any]] = {}
        start = len(literals[0])
        for place, part in enumerate(self.parts):
            end = text.find(separator, start)
            end = len(text) if end < 0 else end
            try:
                payload = part.decode(text[start:end])
            except ValueError:
                return None
            value = {part.tag: payload}
            if part.encode(payload) != text[start:end] or found.setdefault(self.sources[place], value) != value:
                return None
            literal = literals[place + 1]
            if not text.startswith(literal, end):
                return None
            start = end + len(literal)
        return found if start == len(text) else None

    def beginnings(self, known: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
        """The text up to each component, as far as the sources are known, and at last the whole text."""
        literals = self.template.literals
        text = literals[0]
        yield 0, text
        for place, source in enumerate(self.sources):
            if source not in known:
                return
            text += self.written(place, known[source]) + literals[place + 1]
            yield place + 1, text


def successor(text: str) -> str:
    """The least text greater than every one that begins with this, which is not empty."""
    last = ord(text[-1]) + 1
    # There is no text with surrogates.
    return text[:-1] + chr(0xE000 if last == 0xD800 else last)
