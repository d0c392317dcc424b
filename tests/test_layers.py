"""The layers of the design: who may import whom, what `import dynawire` may load, how long a file may be."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.imports import Import, imports_of, modules

# What each layer may import besides itself; the longest prefix of a module's name tells its layer.
INNER = {
    "errors": set[str](),
    "mapping": {"errors"},
    "codec": {"errors", "mapping"},
    "expressions": {"errors", "mapping"},
    "operations": {"errors", "mapping", "codec", "expressions", "engines.protocol"},
    "engines": set[str](),
    "engines.protocol": set[str](),
    "engines.aws": {"errors", "engines.protocol"},
    "engines.alternator": {"errors", "engines.protocol", "engines.aws"},
    "engines.embedded": {"errors", "engines.protocol"},
}
TABLE = set(
    """
    batch collection connecting database external find finding hooks keeping key lifecycle many migrating
    misuse page query relating table together transaction where writing
    """.split()
)
MODEL = set(
    """
    awaiting completion composed declare ids index managed marshmallow metaclass model model_batches
    library_model model_operations pydantic related relations running schema_model schematics single_table stepping
    workflow
    """.split()
)
FRONT = {"cli", "compat", "console", "testing"}
ALLOWED = INNER | {name: set(INNER) | TABLE for name in TABLE} | {name: set(INNER) | TABLE | MODEL for name in MODEL}
ALLOWED |= {name: set(INNER) | TABLE | MODEL | {""} for name in FRONT}
ALLOWED[""] = set(ALLOWED)  # dynawire/__init__.py shows what there is

# (importer, imported): imports against the rules, each with its reason.
EXCEPTIONS: dict[tuple[str, str], str] = {}

WARN_LINES, MAX_LINES = 400, 500

# Nothing of these is loaded by `import dynawire`, unless msgspec alone loads it.
HEAVY = {"asyncio", "botocore", "concurrent.futures", "decimal", "email", "http.client", "httptools", "inspect"}
HEAVY |= {"json", "logging", "multiprocessing", "socket", "sqlite3", "ssl", "subprocess", "tempfile"}
HEAVY |= {"unittest", "urllib.request", "uvloop", "xml", "zoneinfo"}


def layer_of(module: str) -> str | None:
    """The layer of a module, or None for one that has no place yet."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        if (name := ".".join(parts[:length])) in ALLOWED:
            return name
    return None


def violations(found: Import, known: set[str]) -> Iterator[str]:
    """Why an import breaks the rules; nothing when it does not."""
    # "from ..codec import plan" imports the module codec.plan; "from .plan import ClassPlan" a name of codec.plan.
    submodules = {f"{found.module}.{name}".lstrip(".") for name in found.names} & known
    targets = submodules or {found.module}
    where = f"{found.importer or '__init__'}, line {found.line}"
    importer = layer_of(found.importer)
    if importer is None:
        yield f"{where}: this module has no layer; give it one in tests/test_layers.py"
        return
    for target in sorted(targets):
        if (found.importer, target) in EXCEPTIONS:
            continue
        imported = layer_of(target)
        if imported is None:
            yield f"{where}: imports {target}, which has no layer; give it one in tests/test_layers.py"
        elif imported != importer and imported not in ALLOWED[importer]:
            yield f"{where}: {importer or 'the package'} may not import {target or 'the package'}"
        elif imported != importer:
            private = [
                part for part in [*target.split("."), *found.names] if part.startswith("_") and part != "__version__"
            ]
            if private:
                yield f"{where}: {private[0]} of {target} is private to another layer"
            elif imported in ("engines.aws", "engines.embedded", "engines.alternator") and target != imported:
                yield f"{where}: {target} is inside an engine; import from {imported}"


def test_no_import_points_up() -> None:
    known = modules()
    problems = [
        problem
        for module, path in known.items()
        for found in imports_of(module, path.read_text(), is_package=path.name == "__init__.py")
        for problem in violations(found, set(known))
    ]
    assert not problems, "\n".join(problems)


def test_every_exception_is_still_needed() -> None:
    known = modules()
    used = {
        (module, target)
        for module, path in known.items()
        for found in imports_of(module, path.read_text(), is_package=path.name == "__init__.py")
        for target in ({f"{found.module}.{name}" for name in found.names} & set(known) or {found.module})
    }
    assert set(EXCEPTIONS) <= used


@pytest.mark.parametrize(
    ("importer", "line", "problem"),
    [
        ("codec.plan", "from ..errors import DecodeError", None),
        ("codec.plan", "from ..mapping.attributes import Attribute", None),
        ("codec.plan", "from .source import _Scope", None),
        ("codec.plan", "from ..mapping.attributes import _slots", "_slots of mapping.attributes is private"),
        ("codec.plan", "from ..mapping._slots import Slot", "_slots of mapping._slots is private"),
        ("codec.plan", "from ..expressions import paths", "codec may not import expressions.paths"),
        ("codec.plan", "import dynawire.operations", "codec may not import operations"),
        ("codec.plan", "import dynawire", "codec may not import the package"),
        ("codec.plan", "from dynawire import Model", "codec may not import the package"),
        ("codec.plan", "from .. import model", "codec may not import model"),
        ("codec.plan", "def f():\n    from ..operations import get", "codec may not import operations"),
        ("codec.plan", "if TYPE_CHECKING:\n    from ..table import Table", "codec may not import table"),
        ("mapping.keys", "from ..codec.plan import ClassPlan", "mapping may not import codec.plan"),
        ("operations.drive", "from ..engines.protocol import Engine", None),
        ("operations.drive", "from ..engines.aws import AwsEngine", "operations may not import engines.aws"),
        ("engines.aws.retry", "from ..embedded import open", "engines.aws may not import engines.embedded"),
        ("engines.aws.retry", "from dynawire.mapping import keys", "engines.aws may not import mapping"),
        ("database", "from .engines.aws import AwsEngine", None),
        ("database", "from .engines.aws.retry import RetryPolicy", "engines.aws.retry is inside an engine"),
        ("database", "from .model import Model", "database may not import model"),
        ("model", "from .table import Table", None),
        ("model", "from .cli import main", "model may not import cli"),
        ("testing.plugin", "from dynawire import connect", None),
        ("errors", "from .mapping import keys", "errors may not import mapping"),
        ("novelty", "import os, dynawire.errors", "no layer"),
        ("table", "from .novelty import thing", "no layer"),
        ("", "from .model import Model", None),
    ],
)
def test_rule(importer: str, line: str, problem: str | None) -> None:
    known = {"codec", "codec.plan", "expressions", "expressions.paths", "mapping", "model", "operations", "table"}
    found = list(imports_of(importer, line, is_package=not importer))
    assert found
    said = [text for one in found for text in violations(one, known)]
    assert bool(said) == bool(problem), said
    assert problem is None or problem in said[0]


def test_files_are_short() -> None:
    lengths = {module: len(path.read_text().splitlines()) for module, path in modules().items()}
    long = {module: length for module, length in lengths.items() if length > MAX_LINES}
    assert not long, f"more than {MAX_LINES} lines, so more than one idea: {long}"
    growing = {module: length for module, length in lengths.items() if length > WARN_LINES}
    if growing:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.warn(f"past {WARN_LINES} lines it is usually two ideas: {growing}", stacklevel=1)


def loaded_by(program: str, folder: Path) -> set[str]:
    """The modules that a program of its own has loaded when it ends."""
    program += "\nimport sys; print(*sys.modules, sep='\\n')"
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


def test_import_is_light(tmp_path: Path) -> None:
    everything_public = "import dynawire; [getattr(dynawire, name) for name in dynawire.__all__]"
    ours = loaded_by(everything_public, tmp_path) - loaded_by("import msgspec", tmp_path)
    assert "dynawire" in ours
    assert not ours & HEAVY


# What only some programs use. Each is loaded by the first use of it.
OPTIONAL = {"batch", "collection", "find", "query", "relations", "single_table", "table"}
OPTIONAL |= {"codec.family_plan", "mapping.migrations", "mapping.placement", "mapping.templates", "operations.computed"}
OPTIONAL |= {"operations.transact", "operations.upkeep", "transaction", "workflow"}


def test_import_loads_nothing_optional(tmp_path: Path) -> None:
    assert modules().keys() >= OPTIONAL
    ours = {name.removeprefix("dynawire.") for name in loaded_by("from dynawire import Model, connect", tmp_path)}
    assert not ours & (OPTIONAL)


DECLARE = """
import dynawire as dw
class Note(dw.Model, table="notes"):
    id: dw.Attr[str] = dw.partition_key()
    text: dw.Attr[str]
"""
OVER_HTTP = f"""{DECLARE}
dw.connect("http://127.0.0.1:1", region="eu-west-1", access_key_id="a", secret_access_key="b")
try:
    Note.get("x")
except dw.ConnectionFailed:
    pass
"""
IN_MEMORY = f"""{DECLARE}
dw.connect("memory:").create_tables(Note)
Note(id="x", text="y").insert()
"""


@pytest.mark.parametrize(
    ("program", "unneeded"),
    [
        pytest.param(OVER_HTTP, {"asyncio", "botocore", "sqlite3", "ssl", "urllib.request", "uvloop"}, id="http"),
        pytest.param(IN_MEMORY, {"asyncio", "botocore", "httptools", "ssl", "urllib.request", "uvloop"}, id="memory"),
    ],
)
def test_a_synchronous_program_loads_what_it_uses(program: str, unneeded: set[str], tmp_path: Path) -> None:
    loaded = loaded_by(program, tmp_path)
    assert {name for name in loaded if name.startswith("dynawire.engines.")}
    assert not loaded & unneeded


def test_heavy_modules_are_noticed(tmp_path: Path) -> None:
    assert loaded_by("import asyncio, ssl", tmp_path) - loaded_by("import msgspec", tmp_path) & HEAVY >= {
        "asyncio",
        "ssl",
    }
