"""Reads what conditions and the values of SET share: document paths, operands, operators, functions, parentheses.

It works with a stack of open parentheses instead of recursion, so that no text can exhaust the interpreter's stack.
"""

from __future__ import annotations

from typing import Final

from dynawire.engines.embedded.expressions.lexer import Tokens, invalid
from dynawire.engines.embedded.expressions.tree import (
    And,
    Arithmetic,
    Between,
    Call,
    Comparison,
    In,
    Node,
    Not,
    Or,
    Path,
    ValueReference,
)
from dynawire.engines.embedded.reserved import is_reserved
from dynawire.errors import DynawireError

__all__ = ["OperandReader"]

_MAX_OPERATORS: Final = 300
_MAX_CHOICES: Final = 100
_MAX_PATH: Final = 32
_MAX_CALLS: Final = 10
_MAX_INDEX: Final = 2**31 - 1

_CONDITION_FUNCTIONS: Final = frozenset(
    {"attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size"}
)
_UPDATE_FUNCTIONS: Final = frozenset({"if_not_exists", "list_append"})
_COMPARATORS: Final = frozenset({"=", "<>", "<", "<=", ">", ">="})


class _Open:
    """What has been read since a parenthesis was opened (or since the start)."""

    __slots__ = (
        "alternatives",
        "arguments",
        "current",
        "function",
        "grouped",
        "left",
        "low",
        "negated",
        "only_operands",
        "opener",
        "operator",
        "terms",
    )

    def __init__(self, opener: str, only_operands: bool, function: str = "") -> None:
        self.opener = opener
        """``""`` at the start, ``"("`` for grouping, ``"call"`` for operands of a function, ``"IN"`` for choices."""
        self.only_operands = only_operands
        self.function = function
        self.arguments: list[Node] = []
        self.alternatives: list[Node] = []
        self.terms: list[Node] = []
        self.negated: bool | None = None
        """Whether an odd number of NOTs stands before the current term; None: no NOT at all."""
        self.left: Node | None = None
        self.operator = ""
        self.low: Node | None = None
        self.current: Node | None = None
        """The operand or condition just read; None: one is expected."""
        self.grouped = False
        """Whether it stood in parentheses of its own."""


class OperandReader:
    """Reads conditions, values of SET and document paths, and notes what is wrong beyond syntax."""

    def __init__(self, tokens: Tokens, *, for_update: bool) -> None:
        self.tokens = tokens
        self.paths: list[Path] = []
        self.names: set[str] = set()
        self.values: set[str] = set()
        self._for_update = for_update
        self._unknown_function = ""
        self._misused_function = ""
        self._reserved_word = ""
        self._operators = 0
        self._most_choices = 0
        self._deepest_path = 0
        self._deepest_call = 0

    @property
    def nested(self) -> tuple[Path, ...]:
        """The paths read that go into an attribute."""
        return tuple(path for path in self.paths if len(path.elements) > 1)

    def check(self) -> None:
        """Raise for what the syntax allows and the language does not, in the order the service checks."""
        kind = self.tokens.kind
        if self._reserved_word and self._for_update:
            raise self._reserved()
        if self._unknown_function:
            raise invalid(kind, self._unknown_function)
        if self._misused_function:
            raise invalid(
                kind,
                f"The function is not allowed to be used this way in an expression; function: {self._misused_function}",
            )
        if self._reserved_word:
            raise self._reserved()
        if self._operators > _MAX_OPERATORS:
            raise invalid(kind, f"The expression contains too many operators; operator count: {_MAX_OPERATORS + 1}")
        if self._most_choices > _MAX_CHOICES:
            raise invalid(
                kind,
                f"The IN operator is provided with too many operands; number of operands: {self._most_choices}",
            )
        if self._deepest_call > _MAX_CALLS and not self._for_update:
            # Only size takes part in such a nest, and it does not take a number: no need to go to the bottom of it.
            raise invalid(
                kind,
                "Incorrect operand type for operator or function; operator or function: size, operand type: N",
            )
        if self._deepest_path > _MAX_PATH:
            raise invalid(kind, f"The document path has too many nesting levels; nesting levels: {self._deepest_path}")

    def _reserved(self) -> DynawireError:
        return invalid(
            self.tokens.kind, f"Attribute name is a reserved keyword; reserved keyword: {self._reserved_word}"
        )

    def read_path(self) -> Path:
        """Read a document path."""
        elements: list[str | int] = []
        tokens = self.tokens
        token = tokens.current
        if token.kind not in ("name", "#"):
            tokens.refuse()
        while True:
            tokens.take()
            elements.append(token.text)
            if token.kind != "name":
                self.names.add(token.text)
            elif not self._reserved_word and is_reserved(token.text):
                self._reserved_word = token.text
            while tokens.skip("["):
                index = int(tokens.expect("integer").text)
                tokens.expect("]")
                if index > _MAX_INDEX:
                    raise invalid(tokens.kind, f"List index is not within the allowable range; index: [{index}]")
                elements.append(index)
            if not tokens.skip("."):
                break
            token = tokens.current
            # The service reads a value placeholder here too, and then finds no such name.
            if token.kind not in ("name", "#", ":"):
                tokens.refuse()
        self._deepest_path = max(self._deepest_path, len(elements))
        bare = not any(type(element) is str and element[0] in "#:" for element in elements)
        path = Path(tuple(elements), bare)
        self.paths.append(path)
        return path

    def read_value(self) -> ValueReference:
        """Read a placeholder of a value."""
        name = self.tokens.expect(":").text
        self.values.add(name)
        return ValueReference(name)

    def read(self) -> Node:
        """Read a condition, or for an update the value of a SET action, as far as it goes."""
        tokens = self.tokens
        opened = [_Open("", only_operands=False)]
        while True:
            frame = opened[-1]
            token = tokens.current.kind
            if frame.current is None:
                if token == "(":
                    tokens.take()
                    opened.append(_Open("(", frame.only_operands or bool(frame.operator)))
                elif token == "name" and tokens.following == "(":
                    function = tokens.take().text
                    tokens.take()
                    self._operators += 1
                    opened.append(_Open("call", only_operands=True, function=function))
                    self._deepest_call = max(self._deepest_call, sum(each.opener == "call" for each in opened))
                elif token == "NOT" and not (frame.only_operands or frame.operator or self._for_update):
                    tokens.take()
                    self._operators += 1
                    frame.negated = not frame.negated
                elif token == ":":
                    self._complete(frame, self.read_value())
                else:
                    self._complete(frame, self.read_path())
            elif frame.operator == "BETWEEN":
                # Its lower bound has been read.
                tokens.expect("AND")
                frame.low, frame.current = frame.current, None
                frame.operator = "BETWEEN AND"
            elif self._takes_operator(frame, token):
                tokens.take()
                self._operators += 1
                self._use(frame.current, as_operand=True)
                frame.left, frame.current = frame.current, None
                frame.grouped = False
                frame.operator = token
                if token == "IN":
                    tokens.expect("(")
                    opened.append(_Open("IN", only_operands=True))
            elif token in ("AND", "OR") and self._is_condition(frame):
                tokens.take()
                self._operators += 1
                self._end_term(frame)
                if token == "OR":
                    self._end_alternative(frame)
            elif token == "," and frame.opener in ("call", "IN"):
                tokens.take()
                self._end_argument(frame)
            elif token == ")" and frame.opener and (frame.opener != "(" or self._may_close(frame)):
                tokens.take()
                opened.pop()
                self._close(frame, opened[-1])
            elif frame.opener or not (self._for_update or self._is_condition(frame)):
                tokens.refuse()
            else:
                return self._result(frame)

    def _takes_operator(self, frame: _Open, token: str) -> bool:
        """Whether an operator between operands may follow here."""
        if frame.only_operands or not isinstance(frame.current, Path | ValueReference | Call):
            return False
        if self._for_update:
            return token in ("+", "-")
        return token in _COMPARATORS or token in ("BETWEEN", "IN")

    def _is_condition(self, frame: _Open) -> bool:
        """Whether what was just read can stand as a condition."""
        return not (self._for_update or frame.only_operands or isinstance(frame.current, Path | ValueReference | None))

    def _may_close(self, frame: _Open) -> bool:
        """Whether a grouping may end here: after a condition, or after a lone operand."""
        lone = not frame.terms and not frame.alternatives and frame.negated is None
        return lone or self._is_condition(frame)

    def _complete(self, frame: _Open, node: Node, grouped: bool = False) -> None:
        """Take an operand or a condition into its surroundings."""
        operator = frame.operator
        if not operator or operator == "BETWEEN":
            frame.current = node
            frame.grouped = grouped
            return
        left = frame.left
        assert left is not None
        self._use(node, as_operand=True)
        frame.operator = ""
        frame.grouped = False
        if operator == "BETWEEN AND":
            low = frame.low
            assert low is not None
            self._use(low, as_operand=True)
            frame.current = Between(left, low, node)
        elif self._for_update:
            frame.current = Arithmetic(operator, left, node)
        else:
            frame.current = Comparison(operator, left, node)

    def _close(self, frame: _Open, outer: _Open) -> None:
        """End a parenthesis and hand what was in it to what is around it."""
        if frame.opener == "(":
            lone = not frame.terms and not frame.alternatives and frame.negated is None
            if frame.grouped and lone:
                raise invalid(self.tokens.kind, "The expression has redundant parentheses;")
            if lone:
                assert frame.current is not None
                self._complete(outer, frame.current, grouped=True)
            else:
                self._complete(outer, self._result(frame), grouped=True)
            return
        self._end_argument(frame)
        operands = tuple(frame.arguments)
        if frame.opener == "call":
            if not self._unknown_function:
                self._check_function(frame.function)
            self._complete(outer, Call(frame.function, operands))
            return
        self._most_choices = max(self._most_choices, len(operands))
        assert outer.left is not None
        outer.operator = ""
        outer.current = In(outer.left, operands)

    def _end_argument(self, frame: _Open) -> None:
        assert frame.current is not None
        self._use(frame.current, as_operand=True)
        frame.arguments.append(frame.current)
        frame.current = None

    def _end_term(self, frame: _Open) -> None:
        term = frame.current
        assert term is not None
        self._use(term, as_operand=False)
        if frame.negated:
            term = term.part if isinstance(term, Not) else Not(term)
        frame.negated = None
        if isinstance(term, And):
            frame.terms += term.parts
        else:
            frame.terms.append(term)
        frame.current = None
        frame.grouped = False

    def _end_alternative(self, frame: _Open) -> None:
        terms = frame.terms
        frame.terms = []
        if len(terms) > 1:
            frame.alternatives.append(And(tuple(terms)))
        elif isinstance(terms[0], Or):
            frame.alternatives += terms[0].parts
        else:
            frame.alternatives.append(terms[0])

    def _result(self, frame: _Open) -> Node:
        if self._for_update:
            assert frame.current is not None
            return frame.current
        self._end_term(frame)
        self._end_alternative(frame)
        return frame.alternatives[0] if len(frame.alternatives) == 1 else Or(tuple(frame.alternatives))

    def _check_function(self, function: str) -> None:
        allowed, other = _CONDITION_FUNCTIONS, _UPDATE_FUNCTIONS
        where = "a condition expression"
        if self._for_update:
            allowed, other = other, allowed
            where = "an update expression"
        if function in other:
            self._unknown_function = f"The function is not allowed in {where}; function: {function}"
        elif function not in allowed:
            self._unknown_function = f"Invalid function name; function: {function}"

    def _use(self, node: Node, *, as_operand: bool) -> None:
        """Note a function in a place that is not for it."""
        if not isinstance(node, Call) or self._misused_function:
            return
        operand_function = "if_not_exists" if self._for_update else "size"
        if (node.function == operand_function) is not as_operand:
            self._misused_function = node.function
