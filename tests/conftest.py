"""Fixtures and rules for the whole test suite."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from dynawire import database
from tests.support import dynamodb_local as oracle
from tests.support import other_marshmallow as marshmallows
from tests.support.schematics_here import WITHOUT_SCHEMATICS

_REQUIRED = "DYNAWIRE_REQUIRE_DYNAMODB_LOCAL"
_MARSHMALLOW_REQUIRED = "DYNAWIRE_REQUIRE_BOTH_MARSHMALLOWS"
_missing = pytest.StashKey[str]()
_marshmallow_missing = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    # The machine may be busy with other steps: time is pytest-timeout's matter. CI finds the same every time.
    hypothesis.settings.register_profile("dynawire", deadline=None, derandomize="CI" in os.environ, print_blob=True)
    hypothesis.settings.load_profile("dynawire")
    # No test may reach, or depend on, a developer's own AWS account or database.
    for name in list(os.environ):
        if name.startswith("AWS_") or name == "DYNAWIRE_URL":
            del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Whatever uses the fixture carries the marker, so that -m "not dynamodb_local" leaves none behind.
    for item in items:
        if "dynamodb_local" in getattr(item, "fixturenames", ()):
            item.add_marker("dynamodb_local")


@pytest.fixture(autouse=True)
def _no_database_stays_connected() -> Iterator[None]:
    """A test leaves no database to those after it, which would then find one they did not connect."""
    yield
    left = list(database._connected)
    database._connected.clear()
    for one in left:
        one.close()
    if left or database._bound.get() is not None:
        pytest.fail(
            f"this test left {len(left) or 'a bound'} database(s) connected; write `with dw.connect(...) as db:`, or "
            "close it in a fixture",
            pytrace=False,
        )


@pytest.fixture(scope="session")
def dynamodb_local(request: pytest.FixtureRequest) -> Iterator[str]:
    """The endpoint of DynamoDB Local, started by the first test that asks for it.

    Its data is kept per access key and region: a test that uses an access key of its own (letters and digits only)
    sees no table of another.
    """
    started = _start_dynamodb_local()
    if isinstance(started, str):
        if os.environ.get(_REQUIRED) == "1":
            pytest.fail(f"DynamoDB Local is required ({_REQUIRED}=1) and cannot run: {started}", pytrace=False)
        request.config.stash[_missing] = started
        pytest.skip(f"DynamoDB Local cannot run: {started}")
    with started:
        yield started.url


def _start_dynamodb_local() -> oracle.DynamoDBLocal | str:
    try:
        return oracle.DynamoDBLocal()
    except oracle.Unavailable as error:
        return str(error)


@pytest.fixture(scope="session")
def other_marshmallow(request: pytest.FixtureRequest) -> Path:
    """A folder with the other major version of marshmallow than the one installed."""
    try:
        return marshmallows.other_folder()
    except marshmallows.Unavailable as error:
        if os.environ.get(_MARSHMALLOW_REQUIRED) == "1":
            pytest.fail(f"both versions are required ({_MARSHMALLOW_REQUIRED}=1): {error}", pytrace=False)
        request.config.stash[_marshmallow_missing] = str(error)
        pytest.skip(str(error))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> Iterator[None]:
    yield
    if WITHOUT_SCHEMATICS is not None:
        terminalreporter.write_line(f"!!! SCHEMATICS WAS NOT TESTED: {WITHOUT_SCHEMATICS}.", red=True, bold=True)
    reason = config.stash.get(_marshmallow_missing, None)
    if reason is not None:
        terminalreporter.write_line(
            f"!!! MARSHMALLOW {marshmallows.other_version()} WAS NOT TESTED: {reason}. {_MARSHMALLOW_REQUIRED}=1 makes "
            "this a failure.",
            red=True,
            bold=True,
        )
    reason = config.stash.get(_missing, None)
    if reason is None:
        return
    skipped = sum("DynamoDB Local" in str(report.longrepr) for report in terminalreporter.getreports("skipped"))
    terminalreporter.write_line(  # the last line but pytest's own
        f"!!! {skipped} TESTS AGAINST DYNAMODB LOCAL WERE SKIPPED: {reason}. {_REQUIRED}=1 makes this a failure.",
        red=True,
        bold=True,
    )
