"""marshmallow 3 and 4: what passes with the one installed must pass with the other."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support.other_marshmallow import VERSIONS, other_version

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = "DYNAWIRE_TESTS_WITH_MARSHMALLOW"


@pytest.mark.timeout(300)
@pytest.mark.skipif(EXPECTED in os.environ, reason="this is the run with the other version")
def test_the_other_version_of_marshmallow(other_marshmallow: Path) -> None:
    files = ["test_behaviour.py", "test_marshmallow.py", "test_schema_properties.py", "test_placed.py"]
    files.append("test_marshmallow_versions.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "marshmallow"]
    command += [f"tests/adapters/{name}" for name in files]
    run = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(other_marshmallow), EXPECTED: other_version()},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout
    assert "failed" not in run.stdout


def test_the_version_is_the_one_meant() -> None:
    import marshmallow

    found = version("marshmallow")
    assert found == os.environ.get(EXPECTED, found)
    assert int(found.split(".")[0]) in VERSIONS
    assert hasattr(marshmallow.Schema, "context") is False
    assert hasattr(marshmallow.Schema(), "context") is found.startswith("3.")
