"""The Python blocks of Markdown documents, and a program that runs one document's blocks as a reader would.

The blocks of a document run in order and share one namespace; ``await`` works outside functions. A comment on the
line before a block says what is special about it::

    <!-- test: skip REASON -->                it is not run
    <!-- test: fresh -->                      it starts a namespace of its own, for it and what follows
    <!-- test: raises ERROR -->               it ends with this error
    <!-- test: requires dynamodb_local -->    it runs where DynamoDB Local runs, instead of http://localhost:8000
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import sys
import types
from dataclasses import dataclass
from pathlib import Path

DIRECTIVES = ("skip", "fresh", "raises", "requires")
PLACEHOLDER_URL = "http://localhost:8000"

_BLOCK = re.compile(
    r"^(?:<!-- test: (?P<word>\S+)(?: (?P<rest>[^\n]*?))? -->\n+)?"
    r"(?P<fence>```+)python\n(?P<code>.*?)^(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_COMMENT = re.compile(r"^<!-- test:", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One ``python`` block: its code, the line its code starts on, and what the comment before it says."""

    line: int
    code: str
    word: str | None = None
    rest: str = ""

    @property
    def needs_dynamodb_local(self) -> bool:
        return (self.word, self.rest) == ("requires", "dynamodb_local")


def blocks(text: str) -> list[Block]:
    """The Python blocks of a document.

    Raises:
        ValueError: a comment for a block is not one of those known, or no block follows it.
    """
    found = []
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("code")) + 1
        word, rest = match["word"], match["rest"] or ""
        if word is not None and (word not in DIRECTIVES or bool(rest) == (word == "fresh")):
            raise ValueError(f"line {line}: the comment before this block is not known: {word} {rest}")
        if word == "requires" and rest != "dynamodb_local":
            raise ValueError(f"line {line}: only dynamodb_local can be required, not {rest}")
        found.append(Block(line, match["code"], word, rest))
    if len(_COMMENT.findall(text)) != sum(block.word is not None for block in found):
        raise ValueError("a test comment is not followed by a python block")
    return found


def run(path: Path, url: str | None) -> None:
    """Run a document's blocks; those that need DynamoDB Local only with its ``url``."""
    namespace = _namespace()
    with asyncio.Runner() as runner:
        for block in blocks(path.read_text()):
            if block.word == "skip" or (block.needs_dynamodb_local and url is None):
                continue
            if block.word == "fresh":
                namespace = _namespace()
            try:
                _run_block(block, path, url, namespace, runner)
            except BaseException as error:
                if block.word == "raises" and block.rest in {kind.__name__ for kind in type(error).__mro__}:
                    continue
                raise
            if block.word == "raises":
                raise AssertionError(f"{path.name}, line {block.line}: did not raise {block.rest}")


def _run_block(block: Block, path: Path, url: str | None, namespace: types.ModuleType, runner: asyncio.Runner) -> None:
    code = block.code.replace(PLACEHOLDER_URL, url) if url and block.needs_dynamodb_local else block.code
    # Lines are counted from the document's start, so that a traceback shows the line of the document.
    text = "\n" * (block.line - 1) + code
    compiled = compile(text, str(path), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    if compiled.co_flags & inspect.CO_COROUTINE:
        runner.run(eval(compiled, vars(namespace)))
    else:
        exec(compiled, vars(namespace))


def _namespace() -> types.ModuleType:
    # A module of its own: what resolves annotations looks a class's module up by name.
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    return module


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
