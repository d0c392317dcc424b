"""What a module of the package imports, found in its source: also inside functions and under TYPE_CHECKING."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "dynawire"
SOURCE = Path(__file__).resolve().parents[2] / "src" / PACKAGE


@dataclass(frozen=True)
class Import:
    """One import of something of the package, by names relative to it: ``codec.plan``; ``""`` is the package itself."""

    importer: str
    line: int
    module: str
    names: tuple[str, ...] = ()


def modules(source: Path = SOURCE) -> dict[str, Path]:
    """Every module of the package by its name relative to the package (``codec.plan``)."""
    found = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(module: str, text: str, *, is_package: bool) -> Iterator[Import]:
    """The imports of the package's own modules in ``text``, the source of ``module``."""
    own = module.split(".") if module else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == PACKAGE or alias.name.startswith(f"{PACKAGE}."):
                    yield Import(module, node.lineno, alias.name[len(PACKAGE) + 1 :])
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                kept = len(own) - node.level + (1 if is_package else 0)
                base = [*own[:kept], *(node.module.split(".") if node.module else [])]
            elif node.module and node.module.split(".")[0] == PACKAGE:
                base = node.module.split(".")[1:]
            else:
                continue
            yield Import(module, node.lineno, ".".join(base), tuple(alias.name for alias in node.names))
