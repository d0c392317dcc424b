"""Tokens into trees, for the kinds of expression. Trees are kept: the same text is parsed once."""

from __future__ import annotations

from functools import lru_cache

from dynawire.engines.embedded.expressions.lexer import END, Tokens, invalid
from dynawire.engines.embedded.expressions.operand_reader import OperandReader
from dynawire.engines.embedded.expressions.tree import Action, ConditionTree, Node, ProjectionTree, UpdateTree

__all__ = ["condition_tree", "projection_tree", "update_tree"]


@lru_cache(maxsize=512)
def condition_tree(kind: str, text: str) -> ConditionTree:
    """Parse a ConditionExpression, FilterExpression or KeyConditionExpression.

    Args:
        kind: which of them; errors name it.
        text: the expression.

    Raises:
        ServiceError: ``ValidationException`` for what is wrong with the text alone: syntax, redundant parentheses,
            functions, reserved words, limits.
    """
    tokens = Tokens(kind, text)
    reader = OperandReader(tokens, for_update=False)
    root = reader.read()
    tokens.expect(END)
    reader.check()
    return ConditionTree(root, tuple(reader.paths), reader.nested, frozenset(reader.names), frozenset(reader.values))


@lru_cache(maxsize=512)
def update_tree(text: str) -> UpdateTree:
    """Parse an UpdateExpression. Raises like :func:`condition_tree`, and when a clause is given twice."""
    kind = "UpdateExpression"
    tokens = Tokens(kind, text)
    reader = OperandReader(tokens, for_update=True)
    actions: list[Action] = []
    clauses: list[str] = []
    while True:
        clause = tokens.current.kind
        if clause not in ("SET", "REMOVE", "ADD", "DELETE"):
            tokens.refuse()
        tokens.take()
        clauses.append(clause)
        while True:
            path = reader.read_path()
            operand: Node | None = None
            if clause == "SET":
                tokens.expect("=")
                operand = reader.read()
            elif clause != "REMOVE":
                operand = reader.read_value()
            actions.append(Action(clause, path, operand))
            if not tokens.skip(","):
                break
        if tokens.skip(END):
            break
    reader.check()
    for position, clause in enumerate(clauses):
        if clause in clauses[:position]:
            raise invalid(kind, f'The "{clause}" section can only be used once in an update expression;')
    return UpdateTree(tuple(actions), reader.nested, frozenset(reader.names), frozenset(reader.values))


@lru_cache(maxsize=512)
def projection_tree(text: str) -> ProjectionTree:
    """Parse a ProjectionExpression. Raises like :func:`condition_tree`."""
    tokens = Tokens("ProjectionExpression", text)
    reader = OperandReader(tokens, for_update=False)
    paths = [reader.read_path()]
    while tokens.skip(","):
        paths.append(reader.read_path())
    tokens.expect(END)
    reader.check()
    return ProjectionTree(tuple(paths), reader.nested, frozenset(reader.names))
