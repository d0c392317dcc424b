"""./dev: finds a Python, sets up what it needs once, and says clearly what failed."""

from __future__ import annotations

import dataclasses
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports one of the modules of tools/, which are a program and no package."""
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module


@pytest.fixture
def environments(tools: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module environments, for a project of its own that has no dependencies."""
    module = tools("environments")
    project = '[build-system]\nrequires = []\n[project]\nname = "sample"\nversion = "1"\n'
    (tmp_path / "pyproject.toml").write_text(project)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "FOLDER", tmp_path / ".dev")
    return module


def run_dev(*arguments: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "dev", *arguments],
        check=False,
        cwd=cwd,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_alone_tells_what_there_is(tmp_path: Path) -> None:
    result = run_dev(cwd=tmp_path)
    assert result.returncode == 0
    for command in ("demo", "test", "lint", "format", "bench"):
        assert f"./dev {command}" in result.stdout


def test_unknown_command() -> None:
    result = run_dev("tset")
    assert result.returncode == 2
    assert "no command 'tset'" in result.stderr


def test_no_python(tmp_path: Path) -> None:
    dirname = shutil.which("dirname")
    assert dirname
    (tmp_path / "dirname").symlink_to(dirname)
    result = run_dev(PATH=str(tmp_path), HOME=str(tmp_path), PYENV_ROOT=str(tmp_path))
    assert result.returncode == 1
    assert "no CPython of version 3.11 or later" in result.stderr


def test_pythons_are_told_apart(tools: Any, tmp_path: Path) -> None:
    interpreters = tools("interpreters")
    found = interpreters.probe(sys.executable)
    assert found.version == sys.version_info[:3]
    assert found.name == f"{sys.version_info[0]}.{sys.version_info[1]}"
    pretender = tmp_path / "python3.13"
    pretender.write_text("#!/bin/sh\nexit 3\n")
    pretender.chmod(0o755)
    assert interpreters.probe(str(pretender)) is None
    assert interpreters.probe(str(tmp_path / "missing")) is None


def test_each_version_is_found_once(tools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreters = tools("interpreters")
    names = [one.name for one in interpreters.find_interpreters()]
    assert len(set(names)) == len(names) > 0
    monkeypatch.setenv("PYTHON", sys.executable)
    assert interpreters.find_interpreters()[0].path == sys.executable


def test_a_python_without_ensurepip_is_refused_with_the_remedy(tools: Any, environments: Any) -> None:
    bare = tools("interpreters").Interpreter("/usr/bin/python3.12", (3, 12, 1), complete=False)
    with pytest.raises(environments.SetupFailed, match=r"apt-get install python3\.12-venv"):
        environments.Environment("bare", bare).prepare()


def test_pip_failure_shows_its_last_words(tools: Any, environments: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tools("interpreters").probe(sys.executable)
    monkeypatch.setattr(environments.Environment, "_make", lambda self: self.folder.mkdir(parents=True))
    environment = environments.Environment("failing", python)
    environment.python = shutil.which("false")
    with pytest.raises(environments.SetupFailed, match=r"pip could not install what \.dev/failing needs"):
        environment.prepare()
    assert not (environment.folder / "dynawire-stamp").exists()


def test_set_up_once_and_again_when_requirements_change(
    tools: Any,
    environments: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    python = tools("interpreters").probe(sys.executable)
    installed: list[tuple[str, ...]] = []
    monkeypatch.setattr(environments.Environment, "_install", lambda self, *what: installed.append(what))
    monkeypatch.setattr(environments.Environment, "_make", lambda self: self.folder.mkdir(parents=True, exist_ok=True))

    def prepare(**options: Any) -> str:
        environment = environments.Environment("main", python, **options)
        environment.python = sys.executable
        environment.prepare()
        return capsys.readouterr().out

    assert prepare() == f"setting up .dev/main with Python {python.name} ...\n"
    assert installed == [("--editable", str(tmp_path))]
    assert prepare() == ""
    project = tmp_path / "pyproject.toml"
    project.write_text(project.read_text() + "[tool.ruff]\nline-length = 99\n")
    assert prepare() == "", "what a tool is configured with is no requirement"
    project.write_text(project.read_text().replace('version = "1"', 'version = "1"\ndependencies = ["msgspec"]'))
    assert "setting up" in prepare()
    assert "setting up" in prepare(extras=["test"], alone=["data"])
    assert installed[-2:] == [("--editable", f"{tmp_path}[test]"), ("--no-deps", "data")]


def test_results_are_told(tools: Any, capsys: pytest.CaptureFixture[str]) -> None:
    steps = tools("steps")
    good = steps.captured("greeting", ["echo", "hello"], note=str.upper)
    bad = steps.captured("failing", ["sh", "-c", "echo the reason; exit 4"])
    assert (good.passed, good.output, good.note, bad.passed) == (True, "hello", "HELLO", False)
    steps.report(good)
    assert capsys.readouterr().out == f"ok     greeting ({good.seconds:.0f} s): HELLO\n"
    assert steps.conclude([good, bad], 61) == 1
    said = capsys.readouterr().out
    assert "the reason" in said
    assert said.endswith("FAILED after 61 s: failing\n")
    assert steps.conclude([good, dataclasses.replace(bad, passed=True)], 2) == 0
    assert capsys.readouterr().out.endswith("all 2 steps passed in 2 s\n")
