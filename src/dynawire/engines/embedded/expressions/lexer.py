"""Expression text into tokens, and the syntax errors that point at them."""

from __future__ import annotations

import re
from typing import Final, NamedTuple, NoReturn

from dynawire.errors import DynawireError, service_error

__all__ = ["END", "MAX_EXPRESSION_SIZE", "Token", "Tokens", "invalid"]

MAX_EXPRESSION_SIZE: Final = 4096
"""Bytes of text an expression may have, placeholders counted as written."""

END: Final = "<EOF>"

_KEYWORDS: Final = frozenset({"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"})

_scan = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<placeholder>[#:][A-Za-z0-9_]+)"
    r"|(?P<integer>0|[1-9][0-9]*)"
    r"|(?P<blank>[ \t\r\n]+)"
    r"|<>|<=|>=|.",
    re.DOTALL,
).finditer


class Token(NamedTuple):
    """A token: what it is (``"name"``, ``"#"``, ``":"``, ``"integer"``, a keyword, or the sign itself) and where."""

    kind: str
    text: str
    start: int
    end: int


class Tokens:
    """The tokens of one expression, read from left to right."""

    __slots__ = ("_tokens", "kind", "position", "text")

    def __init__(self, kind: str, text: str) -> None:
        """Split the text.

        Args:
            kind: the request member it came in (``"ConditionExpression"``); errors name it.
            text: the expression.

        Raises:
            ServiceError: ``ValidationException`` when it is empty or longer than 4096 bytes.
        """
        if not text:
            raise invalid(kind, "The expression can not be empty;")
        size = len(text) if text.isascii() else len(text.encode())
        if size > MAX_EXPRESSION_SIZE:
            raise invalid(kind, f"Expression size has exceeded the maximum allowed size; expression size: {size}")
        self.kind = kind
        self.text = text
        self.position = 0
        self._tokens = [_token(match) for match in _scan(text) if match.lastgroup != "blank"]
        self._tokens.append(Token(END, END, len(text), len(text)))

    @property
    def current(self) -> Token:
        """The token to be read next."""
        return self._tokens[self.position]

    @property
    def following(self) -> str:
        """The kind of the token after it."""
        return self._tokens[min(self.position + 1, len(self._tokens) - 1)].kind

    def take(self) -> Token:
        """Read a token."""
        token = self._tokens[self.position]
        self.position += 1
        return token

    def expect(self, kind: str) -> Token:
        """Read a token of this kind; another one is a syntax error."""
        if self._tokens[self.position].kind != kind:
            self.refuse()
        return self.take()

    def skip(self, kind: str) -> bool:
        """Read a token of this kind if it comes next."""
        if self._tokens[self.position].kind != kind:
            return False
        self.position += 1
        return True

    def refuse(self) -> NoReturn:
        """Raise the syntax error for the token that comes next; it shows the tokens on both sides as written."""
        position = self.position
        start = self._tokens[position - 1].start if position else 0
        end = self._tokens[min(position + 1, len(self._tokens) - 1)].end
        token = self._tokens[position].text
        raise invalid(self.kind, f'Syntax error; token: "{token}", near: "{self.text[start:end]}"')


def invalid(kind: str, message: str) -> DynawireError:
    """The error for an expression that breaks a rule of the language."""
    return service_error("ValidationException", f"Invalid {kind}: {message}")


def _token(match: re.Match[str]) -> Token:
    text = match.group()
    kind = match.lastgroup
    if kind == "name":
        upper = text.upper()
        kind = upper if upper in _KEYWORDS else "name"
    elif kind == "placeholder":
        kind = text[0]
    elif kind is None:
        # A lone "#" or ":" is no placeholder.
        kind = text if text not in "#:" else "unknown"
    return Token(kind, text, match.start(), match.end())
