"""Every Python block of the README and of docs/ runs as a reader would run it, and every link leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.documents import Block, blocks

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

# schematics 2.1.1 calls functions of its own that it deprecates.
_OF_SCHEMATICS = "ignore:Call to deprecated function _:DeprecationWarning"
_LINK = re.compile(r"\]\((?!https?://|mailto:)(?P<target>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
_HEADING = re.compile(r"^#+ +(?P<text>.+?) *#*$", re.MULTILINE)
_FENCED = re.compile(r"^(```+).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)


def document_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def run_document(path: Path, folder: Path, *url: str) -> subprocess.CompletedProcess[str]:
    """Run a document in a process of its own, as a stranger would: an empty folder, nothing configured."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-W", _OF_SCHEMATICS, "-m", "tests.support.documents", str(path), *url],
        check=False,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if blocks(path.read_text())], ids=document_name)
def test_blocks_run(path: Path, tmp_path: Path) -> None:
    result = run_document(path, tmp_path)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "path",
    [path for path in DOCUMENTS if any(b.needs_dynamodb_local for b in blocks(path.read_text()))],
    ids=document_name,
)
def test_blocks_run_on_dynamodb_local(path: Path, tmp_path: Path, dynamodb_local: str) -> None:
    result = run_document(path, tmp_path, dynamodb_local)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("path", DOCUMENTS, ids=document_name)
def test_links_lead_somewhere(path: Path) -> None:
    assert broken_links(path) == []


def broken_links(path: Path) -> list[str]:
    """The relative links of a document whose file or heading is not there."""
    broken = []
    for link in _LINK.finditer(_FENCED.sub("", path.read_text())):
        target = (path.parent / link["target"]).resolve() if link["target"] else path
        if not target.exists() or (link["anchor"] and link["anchor"] not in anchors(target)):
            broken.append(link[0])
    return broken


def anchors(path: Path) -> set[str]:
    """The names by which a document's headings can be linked to."""
    headings = _HEADING.findall(_FENCED.sub("", path.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def document(folder: Path, text: str) -> Path:
    path = folder / "document.md"
    path.write_text(text)
    return path


def test_blocks_are_found() -> None:
    text = "# T\n```python\na = 1\n```\n\n<!-- test: skip why not -->\n```python\nb\n```\n```sh\nls\n```\n"
    assert blocks(text) == [Block(3, "a = 1\n"), Block(8, "b\n", "skip", "why not")]
    twice = "<!-- test: fresh -->\n```python\na\n```\n" * 2
    assert blocks(twice) == [Block(3, "a\n", "fresh"), Block(7, "a\n", "fresh")]


@pytest.mark.parametrize(
    "text",
    [
        "<!-- test: jump over -->\n```python\n```\n",
        "<!-- test: skip -->\n```python\n```\n",
        "<!-- test: requires luck -->\n```python\n```\n",
        "<!-- test: skip this -->\nwords\n```python\n```\n",
    ],
)
def test_wrong_comments_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"comment|required"):
        blocks(text)


def test_blocks_share_a_namespace_and_may_await(tmp_path: Path) -> None:
    text = (
        "```python\nimport asyncio\nx = await asyncio.sleep(0, 41)\n```\n\n"
        "```python\nclass C: pass\nimport sys\nassert sys.modules[C.__module__].C is C\nprint(x + 1)\n```\n"
        "<!-- test: raises LookupError -->\n```python\n{}['a']\n```\n"
        "<!-- test: requires dynamodb_local -->\n```python\nprint('http://localhost:8000')\n```\n"
        "<!-- test: skip it would fail -->\n```python\nnonsense\n```\n"
        "<!-- test: fresh -->\n```python\nprint('x' in globals())\n```\n"
    )
    result = run_document(document(tmp_path, text), tmp_path, "http://127.0.0.1:1")
    assert (result.returncode, result.stdout) == (0, "42\nhttp://127.0.0.1:1\nFalse\n"), result.stderr


def test_a_failure_shows_its_line(tmp_path: Path) -> None:
    path = document(tmp_path, "# Title\n\n```python\nx = 1\nassert x == 2\n```\n")
    result = run_document(path, tmp_path)
    assert result.returncode == 1
    assert 'document.md", line 5' in result.stderr
    assert "assert x == 2" in result.stderr


def test_a_missing_error_is_a_failure(tmp_path: Path) -> None:
    result = run_document(document(tmp_path, "<!-- test: raises KeyError -->\n```python\n1\n```\n"), tmp_path)
    assert "line 3: did not raise KeyError" in result.stderr


def test_broken_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Some `code`, here\n")
    good = "[a](other.md) [b](other.md#some-code-here) [c](#title) [d](https://example.com/x)"
    bad = ["](missing.md)", "](other.md#nowhere)"]
    path = document(tmp_path, f"# Title\n{good} [e{bad[0]} [f{bad[1]}\n```\n[no](link)\n```\n")
    assert broken_links(path) == bad
