"""connect(): which engine a URL means, and what is said when it means none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, Model, partition_key
from dynawire.engines.aws import AwsEngine
from dynawire.engines.embedded import EmbeddedEngine


class Thing(Model, table="things"):
    id: Attr[str] = partition_key()


@pytest.mark.parametrize("url", ["memory:", "memory://", "memory:///"])
def test_memory(url: str) -> None:
    with dw.connect(url) as db, dw.connect(url) as other:
        assert isinstance(db.engine, EmbeddedEngine)
        db.create_tables(Thing)
        # Each is a database of its own.
        assert (db.list_tables(), other.list_tables()) == (["things"], [])


def test_a_relative_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    db = dw.connect("sqlite:///app.db")
    # Nothing is touched until the first operation, and changing directory then makes no difference.
    assert os.listdir() == []
    monkeypatch.chdir("/")
    db.create_tables(Thing)
    assert (tmp_path / "app.db").exists()
    db.close()


def test_an_absolute_file(tmp_path: Path) -> None:
    with dw.connect(f"sqlite:///{tmp_path}/app.db") as db:
        db.create_tables(Thing)
        Thing(id="x").put()
    with dw.connect(f"sqlite:///{tmp_path}/app.db", durable=False) as db:
        assert Thing.get("x") == Thing(id="x")


def test_a_file_in_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with dw.connect("sqlite:///~/app.db") as db:
        db.create_tables(Thing)
    assert (tmp_path / "app.db").exists()


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://example.org/path", "https://example.org/path"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("dynamodb://eu-west-1", "https://dynamodb.eu-west-1.amazonaws.com"),
    ],
)
def test_over_http(url: str, endpoint: str) -> None:
    with dw.connect(url) as db:
        assert isinstance(db.engine, AwsEngine)
        assert db.engine.endpoint == endpoint
        assert endpoint in repr(db)


def test_options_reach_the_engine() -> None:
    with dw.connect("http://localhost:8000", region="eu-west-3", access_key_id="a", secret_access_key="b") as db:
        assert isinstance(db.engine, AwsEngine)
        assert db.engine.region == "eu-west-3"


# ---------------------------------------------------------------------- without a URL


def test_the_url_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNAWIRE_URL", "memory:")
    with dw.connect() as db:
        assert isinstance(db.engine, EmbeddedEngine)
    monkeypatch.setenv("DYNAWIRE_URL", "http://localhost:1234")
    with dw.connect() as db, dw.connect("memory:") as explicit:
        assert isinstance(db.engine, AwsEngine)
        assert db.engine.endpoint == "http://localhost:1234"
        assert isinstance(explicit.engine, EmbeddedEngine)


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_of_the_environment(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "ap-south-1")
    monkeypatch.setenv("DYNAWIRE_URL", "")
    with dw.connect() as db:
        assert isinstance(db.engine, AwsEngine)
        assert db.engine.endpoint == "https://dynamodb.ap-south-1.amazonaws.com"


def test_a_region_as_an_option() -> None:
    with dw.connect(region="eu-west-1") as db:
        assert isinstance(db.engine, AwsEngine)
        assert db.engine.endpoint == "https://dynamodb.eu-west-1.amazonaws.com"


def test_the_region_of_the_aws_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("botocore")
    (tmp_path / "config").write_text("[default]\nregion = us-west-2\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with dw.connect() as db:
        assert isinstance(db.engine, AwsEngine)
        assert db.engine.region == "us-west-2"


def test_the_endpoint_of_the_aws_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:4566")
    with dw.connect() as db:
        assert isinstance(db.engine, AwsEngine)
        assert db.engine.endpoint == "http://localhost:4566"


def test_nothing_configured_says_what_to_write() -> None:
    with pytest.raises(dw.DynawireError) as caught:
        dw.connect()
    for part in ("DYNAWIRE_URL", "AWS_REGION", 'connect("memory:")', "sqlite:///app.db", "dynamodb://eu-west-1"):
        assert part in caught.value.message
    with pytest.raises(dw.ValidationError, match="not the name of an AWS region"):
        dw.connect(region="nowhere")


# ---------------------------------------------------------------------- what is no database


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("app.db", "not a database dynawire knows"),
        ("localhost:8000", r'not a database dynawire knows; write connect\("http://localhost:8000"\)'),
        ("127.0.0.1:8000/", r'write connect\("http://127.0.0.1:8000/"\)'),
        ("us-gov-east-1", r'write connect\("dynamodb://us-gov-east-1"\)'),
        (":memory:", r'write connect\("memory:"\)'),
        ("postgres://user:p4ssword@host/db", "'postgres://host/db' is not a database"),
        ("://", "not a database dynawire knows"),
        ("sqlite:app.db", "sqlite:///app.db"),
        ("sqlite://app.db", "sqlite:///app.db"),
        ("sqlite:///", "sqlite:///app.db"),
        ("sqlite:", "sqlite:///app.db"),
        ("sqlite:///:memory:", r'connect\("memory:"\)'),
        ("sqlite://:memory:", r'connect\("memory:"\)'),
        ("sqlite::memory:", r'connect\("memory:"\)'),
        ("sqlite:///file:x?mode=memory&cache=shared", r'connect\("memory:"\)'),
        ("sqlite:///app.db?mode=ro", r"no parameters such as 'mode'; .*durable=False"),
        ("sqlite:////srv/app.db?timeout=5", "no parameters such as 'timeout'"),
        ("sqlite:///app.db?", "no parameters"),
        ("sqlite:///file:app.db", "no parameters such as 'file:'"),
        ("sqlite:///~nobody-of-this-name/app.db", "write the whole path"),
        ("memory:name", "no name"),
        ("http://", "not a URL that can be used"),
        ("http://host:99999999", "not a URL"),
        ("http://user:p4ssword@host", "user name or password"),
        ("dynamodb://", "No AWS region|no database named"),
        ("dynamodb://moon-base-x", "not the name of an AWS region"),
        ("dynamodb://localhost:8000", "http://localhost:8000"),
        ("dynamodb://user:p4ssword@eu-west-1", "user name or password"),
        ("dynamodb://AKIA:p4ssword", "This is not the name of an AWS region"),
    ],
)
def test_what_is_no_database(url: str, message: str) -> None:
    with pytest.raises(dw.DynawireError, match=message) as caught:
        dw.connect(url)
    assert "p4ssword" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "option", "message"),
    [
        ("memory:", "durabel", "did you mean 'durable'"),
        ("memory:", "region", "its options: durable, lock_timeout, table_prefix, allow_scan"),
        ("http://localhost:8000", "durable", "its options: region"),
        ("http://localhost:8000", "acces_key_id", "did you mean 'access_key_id'"),
        ("dynamodb://eu-west-1", "endpoint_url", r'the endpoint is the URL: connect\("http://localhost:8000"\)'),
        ("memory:", "host", "the endpoint is the URL"),
    ],
)
def test_unknown_options(url: str, option: str, message: str) -> None:
    with pytest.raises(dw.DynawireError, match=f"no option '{option}'.*{message}"):
        dw.connect(url, **{option: "x"})


@pytest.mark.parametrize(
    ("url", "options", "message"),
    [
        ("http://localhost:8000", {"timeout": 0}, "timeout=0 is not between"),
        ("http://localhost:8000", {"timeout": "5"}, "timeout= takes seconds, a number, not str"),
        ("http://localhost:8000", {"connect_timeout": None}, "connect_timeout= takes seconds"),
        ("http://localhost:8000", {"max_attempts": 0}, "max_attempts=0 is not between"),
        ("http://localhost:8000", {"max_attempts": 2.5}, "max_attempts= takes a whole number, not float"),
        ("http://localhost:8000", {"max_connections": True}, "max_connections= takes a whole number, not bool"),
        ("http://localhost:8000", {"access_key_id": "x"}, "belong together"),
        ("http://localhost:8000", {"credentials": ("x", "p4ssword")}, "a function that returns Credentials, not tuple"),
        ("http://localhost:8000", {"retry": 5}, "a RetryPolicy, not int.* max_attempts="),
        ("http://localhost:8000", {"verify": "no"}, "verify= takes True or False, not str"),
        ("http://localhost:8000", {"verify": None}, "verify= takes True or False, not NoneType"),
        ("http://localhost:8000", {"use_fips": "no"}, "use_fips= takes True or False"),
        ("http://localhost:8000", {"allow_scan": "no"}, "allow_scan= takes True or False, not str"),
        ("memory:", {"allow_scan": None}, "allow_scan= takes True or False"),
        ("memory:", {"durable": "no"}, "durable= takes True or False, not str"),
        ("memory:", {"lock_timeout": -1}, "lock_timeout=-1 is not between"),
        ("memory:", {"lock_timeout": "10"}, "lock_timeout= takes seconds"),
    ],
)
def test_options_that_cannot_be(url: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(dw.DynawireError, match=message) as caught:
        dw.connect(url, **options)
    assert "p4ssword" not in str(caught.value)


def test_two_sources_of_credentials_matter_more_than_a_profile_that_is_not_there() -> None:
    with pytest.raises(dw.CredentialsError, match="Give one source of credentials"):
        dw.connect("http://localhost:8000", profile="none", access_key_id="x", secret_access_key="y")


def test_a_scheme_is_upper_or_lower_case(tmp_path: Path) -> None:
    file = tmp_path / "Case.db"
    for url in ("MEMORY:", "SQLite:///" + str(file)):
        with dw.connect(url) as db:
            assert db.create_tables(Thing) == ["things"]
    assert file.exists()
    with dw.connect("HTTP://LOCALHOST:8000") as db:
        assert "'http://localhost:8000'" in repr(db)
    with dw.connect("DynamoDB://eu-west-1", access_key_id="x", secret_access_key="y") as db:
        assert "region='eu-west-1'" in repr(db)


# ---------------------------------------------------------------------- prefix


def test_the_prefix_of_tables() -> None:
    with dw.connect("memory:", table_prefix="staging-1_a.") as db:
        assert db.table(Thing).name == "staging-1_a.things"
        assert db.create_tables(Thing) == ["staging-1_a.things"]
    with pytest.raises(dw.DynawireError, match="table_prefix='a/b'"):
        dw.connect("memory:", table_prefix="a/b")
    with dw.connect("memory:", table_prefix="x" * 250) as db, pytest.raises(dw.SchemaError, match="over 255"):
        db.table(Thing)


def test_a_failed_connect_is_no_default() -> None:
    with pytest.raises(dw.DynawireError):
        dw.connect("memory:", table_prefix="/")
    with pytest.raises(dw.DynawireError, match="no database is connected"):
        Thing.get("x")
