"""Endpoint URLs, regions and partitions."""

from __future__ import annotations

from pathlib import Path

import botocore.session
import pytest
from botocore.endpoint_provider import EndpointProvider
from hypothesis import given, settings
from hypothesis import strategies as st

from dynawire.engines.aws import AwsEngine
from dynawire.engines.aws.endpoints import resolve_endpoint
from dynawire.errors import ValidationError

NOTHING: dict[str, str] = {}
_LOADER = botocore.session.Session().get_component("data_loader")
_RULES = EndpointProvider(
    _LOADER.load_service_model("dynamodb", "endpoint-rule-set-1"), _LOADER.load_data("partitions")
)
_REGIONS = [
    region
    for partition in _LOADER.load_data("partitions")["partitions"]
    for region in [*partition["regions"], partition["outputs"]["implicitGlobalRegion"]]
    if not region.endswith("-global")
]


@settings(deadline=None)
@given(region=st.sampled_from([*_REGIONS, "us-west-9", "xx-new-1"]), fips=st.booleans(), dualstack=st.booleans())
def test_aws_endpoints_are_those_of_botocores_rules(region: str, fips: bool, dualstack: bool) -> None:
    theirs = _RULES.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dualstack).url
    ours = resolve_endpoint(f"dynamodb://{region}", use_fips=fips, use_dualstack=dualstack, environment=NOTHING)
    assert ours.url == theirs
    assert (ours.region, ours.aws, ours.secure, ours.port, ours.path) == (region, True, True, 443, "/")


@pytest.mark.parametrize(
    ("url", "shown", "host", "port", "header", "path", "secure"),
    [
        ("http://localhost:8000", "http://localhost:8000", "localhost", 8000, "localhost:8000", "/", False),
        ("http://localhost:8000/", "http://localhost:8000", "localhost", 8000, "localhost:8000", "/", False),
        ("HTTP://LocalHost", "http://localhost", "localhost", 80, "localhost", "/", False),
        ("https://db.example.org", "https://db.example.org", "db.example.org", 443, "db.example.org", "/", True),
        ("https://h:443/a/b", "https://h/a/b", "h", 443, "h", "/a/b", True),
        ("http://[::1]:8000/x/", "http://[::1]:8000/x", "::1", 8000, "[::1]:8000", "/x/", False),
        ("https://[2001:DB8::1]", "https://[2001:db8::1]", "2001:db8::1", 443, "[2001:db8::1]", "/", True),
    ],
)
def test_urls(url: str, shown: str, host: str, port: int, header: str, path: str, secure: bool) -> None:
    found = resolve_endpoint(url, environment=NOTHING)
    assert (found.url, found.host, found.port, found.host_header) == (shown, host, port, header)
    assert (found.path, found.secure, found.aws, found.region) == (path, secure, False, "us-east-1")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("localhost:8000", "has no scheme: write dynamodb://eu-west-1 for AWS, or http://localhost:8000"),
        ("eu-west-1", "has no scheme"),
        ("", "has no scheme"),
        ("redis://localhost:6379", "scheme 'redis' is not one of http, https, dynamodb"),
        ("http://", "is not a URL that can be used"),
        ("http://host:port", "is not a URL that can be used"),
        ("http://host:70000", "port 70000"),
        ("http://host:0", "port 0"),
        ("http://host/?x=1", "no query"),
        ("http://host/#x", "no fragment"),
        ("http://ho st/", "is not a URL"),
        ("http://host/a\r\nb", "is not a URL"),
        ("dynamodb://eu-west1", "'eu-west1' is not the name of an AWS region"),
        ("dynamodb://EU-WEST-1", "is not the name of an AWS region"),
        ("dynamodb://eu-west-1.evil.example/", "is not the name of an AWS region"),
        ("dynamodb://local", "write http://localhost:8000"),
        ("dynamodb://localhost:8000", "write http://localhost:8000"),
    ],
)
def test_urls_that_cannot_be_used(url: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        resolve_endpoint(url, region=None, environment=NOTHING)


def test_a_password_in_the_url_is_refused_and_not_shown() -> None:
    with pytest.raises(ValidationError, match="user name or password") as caught:
        resolve_endpoint("https://user:hunter2@host", environment=NOTHING)
    assert "hunter2" not in str(caught.value)


def test_where_the_region_comes_from() -> None:
    def region(url: str | None, environment: dict[str, str], region: str | None = None) -> str:
        return resolve_endpoint(url, region=region, environment=environment).region

    both = {"AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "eu-south-1"}
    assert region(None, both) == "eu-north-1"
    assert region(None, {"AWS_DEFAULT_REGION": "eu-south-1"}) == "eu-south-1"
    assert region(None, both, "sa-east-1") == "sa-east-1"
    assert region("dynamodb://", both) == "eu-north-1"
    assert region("dynamodb://us-west-2/", both) == "us-west-2"
    assert region("https://dynamodb.ca-central-1.amazonaws.com", both) == "ca-central-1"
    assert region("https://vpce-1-x.dynamodb.us-east-2.vpce.amazonaws.com", both) == "us-east-2"
    assert region("https://123456789012.ddb.us-west-1.amazonaws.com", both) == "us-west-1"
    assert region("https://dynamodb.ca-central-1.amazonaws.com", both, "sa-east-1") == "sa-east-1"
    assert region("http://localhost:8000", both) == "eu-north-1"
    assert region("http://localhost:8000", NOTHING) == "us-east-1"
    for environment in (NOTHING, {"AWS_REGION": ""}):
        with pytest.raises(ValidationError, match=r"No AWS region .* dynamodb://eu-west-1.* AWS_REGION"):
            region(None, environment)
    with pytest.raises(ValidationError, match="give one of them"):
        region("dynamodb://us-west-2", NOTHING, "us-west-1")
    with pytest.raises(ValidationError, match="'moon' is not"):
        region(None, {"AWS_REGION": "moon"})
    with pytest.raises(ValidationError, match="'moon' is not"):
        region("http://localhost:8000", NOTHING, "moon")


def test_the_region_of_a_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nregion = ap-south-1\n[profile work]\nregion = eu-central-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    assert AwsEngine().region == "ap-south-1"
    assert AwsEngine(profile="work").endpoint == "https://dynamodb.eu-central-1.amazonaws.com"
    assert AwsEngine("http://localhost:8000", profile="work").region == "eu-central-1"
    assert AwsEngine("http://localhost:8000").region == "us-east-1"


def test_configured_endpoints() -> None:
    settings = {"AWS_ENDPOINT_URL": "http://all:1", "AWS_REGION": "eu-west-1"}
    assert resolve_endpoint(None, environment=settings).url == "http://all:1"
    assert resolve_endpoint("dynamodb://us-east-2", environment=settings).url == "http://all:1"
    assert resolve_endpoint("dynamodb://us-east-2", environment=settings).region == "us-east-2"
    settings["AWS_ENDPOINT_URL_DYNAMODB"] = "http://dynamodb:2"
    assert resolve_endpoint(None, environment=settings).url == "http://dynamodb:2"
    assert resolve_endpoint("http://mine:3", environment=settings).url == "http://mine:3"
    settings["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true"
    assert resolve_endpoint(None, environment=settings).url == "https://dynamodb.eu-west-1.amazonaws.com"


def test_flags_of_the_environment() -> None:
    settings = {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "TRUE", "AWS_REGION": "us-east-1"}
    assert resolve_endpoint(environment=settings).url == "https://dynamodb-fips.us-east-1.api.aws"
    plain = resolve_endpoint(use_fips=False, use_dualstack=False, environment=settings)
    assert plain.url == "https://dynamodb.us-east-1.amazonaws.com"


def test_repr() -> None:
    engine = AwsEngine("dynamodb://eu-west-1", access_key_id="AKIDSHOWN", secret_access_key="hunter2")
    assert repr(engine) == "AwsEngine('https://dynamodb.eu-west-1.amazonaws.com', region='eu-west-1')"
    assert "hunter2" not in repr(engine._keeper) + repr(engine._origin) + repr(engine._endpoint)
