"""Where requests go: endpoint URLs, AWS regions and partitions, and the settings AWS's tools read for both."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from dynawire.errors import ValidationError

__all__ = ["Endpoint", "resolve_endpoint"]

_REGION = re.compile(r"[a-z]{2,8}(?:-[a-z]+)+-\d{1,2}")
# AWS's partitions as botocore's partitions.json lists them: how their regions' names begin, DNS suffix, dual-stack DNS
# suffix. Any other region is taken for one of the last, as AWS's own SDKs do.
_PARTITIONS = (
    ("cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    ("eusc-de-", "amazonaws.eu", "api.amazonwebservices.eu"),
    ("us-iso-", "c2s.ic.gov", "api.aws.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov", "api.aws.scloud"),
    ("eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    ("us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    ("", "amazonaws.com", "api.aws"),
)
_AWS_SUFFIXES = tuple({f".{suffix}" for _, *suffixes in _PARTITIONS for suffix in suffixes})
_REGION_IN_HOST = re.compile(r"(?:^|\.)(?:dynamodb(?:-fips)?|ddb)\.([a-z0-9-]+)\.")
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?:\[(?P<literal>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]*))"
    r"(?::(?P<port>\d{1,5}))?"
    r"(?P<path>/[A-Za-z0-9/._~!$&'()*+,;=:%-]*)?"
)
_FORMS = "write dynamodb://eu-west-1 for AWS, or http://localhost:8000 for a server of your own"
_NO_CREDENTIALS = (
    "The endpoint URL holds a user name or password. Leave it out; credentials are given as access_key_id= and "
    "secret_access_key=."
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Endpoint:
    """One place that answers DynamoDB's protocol.

    Attributes:
        url: the URL without a trailing slash; safe to show.
        secure: whether it is spoken to over TLS.
        host: host name or address, an IPv6 one without brackets.
        port: TCP port.
        host_header: what the Host header says.
        path: path prefix of every request, at least ``"/"``.
        region: the region requests are signed for.
        aws: whether the host is one of AWS's own.
    """

    __slots__ = ("aws", "host", "host_header", "path", "port", "region", "secure", "url")

    def __init__(self, scheme: str, host: str, port: int | None, path: str, region: str, aws: bool) -> None:
        default = _DEFAULT_PORTS[scheme]
        self.secure = scheme == "https"
        self.host = host
        self.port = port or default
        name = f"[{host}]" if ":" in host else host
        self.host_header = name if self.port == default else f"{name}:{self.port}"
        self.path = path
        self.region = region
        self.aws = aws
        self.url = f"{scheme}://{self.host_header}{path.rstrip('/')}"

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r}, region={self.region!r})"


def resolve_endpoint(
    endpoint: str | None = None,
    *,
    region: str | None = None,
    profile: str | None = None,
    use_fips: bool | None = None,
    use_dualstack: bool | None = None,
    environment: Mapping[str, str] | None = None,
) -> Endpoint:
    """The endpoint that the arguments and the environment ask for.

    Args:
        endpoint: ``dynamodb://region``, ``http://host:port/path``, ``https://…``, or None for AWS in the region
            configured. AWS's ``AWS_ENDPOINT_URL_DYNAMODB`` and ``AWS_ENDPOINT_URL`` stand in for None and
            ``dynamodb://…`` unless ``AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`` is true.
        region: region to sign for; default: the one in the URL or in AWS's host name, then ``AWS_REGION``,
            ``AWS_DEFAULT_REGION``, with botocore the profile's, and for a server that is not AWS's ``us-east-1``.
        profile: the AWS profile whose region counts, default ``AWS_PROFILE`` or ``default``.
        use_fips: use AWS's FIPS endpoint; default ``AWS_USE_FIPS_ENDPOINT``.
        use_dualstack: use AWS's endpoint that answers on IPv4 and IPv6; default ``AWS_USE_DUALSTACK_ENDPOINT``.
        environment: read instead of ``os.environ``.

    Raises:
        ValidationError: the URL or the region is malformed, or no region is configured.
    """
    settings = os.environ if environment is None else environment
    if region is not None:
        _check_region(region)
    if endpoint is None or endpoint.startswith("dynamodb://"):
        if endpoint is not None:
            region = _region_of(endpoint, region)
        configured = _configured_url(settings)
        if configured is None:
            return _aws_endpoint(
                region or _configured_region(settings, profile) or _no_region(),
                _flag(settings, "AWS_USE_FIPS_ENDPOINT") if use_fips is None else use_fips,
                _flag(settings, "AWS_USE_DUALSTACK_ENDPOINT") if use_dualstack is None else use_dualstack,
            )
        endpoint = configured
    scheme, host, port, path = _parse(endpoint)
    aws = host.endswith(_AWS_SUFFIXES)
    return Endpoint(scheme, host, port, path, region or _region_for(host, aws, settings, profile), aws)


def _parse(url: str) -> tuple[str, str, int | None, str]:
    found = _URL.fullmatch(url)
    scheme, mark, rest = url.partition("://")
    scheme = scheme.lower()
    # The URL itself is shown only where it cannot hold a password.
    if "@" in rest:
        raise ValidationError(_NO_CREDENTIALS)
    if not mark:
        raise ValidationError(f"The endpoint {url!r} has no scheme: {_FORMS}.")
    if scheme not in _DEFAULT_PORTS:
        raise ValidationError(f"The endpoint scheme {scheme!r} is not one of http, https, dynamodb: {_FORMS}.")
    if found is None or not (found["literal"] or found["host"]):
        raise ValidationError(f"The endpoint {url!r} is not a URL that can be used: {_FORMS}; no query, no fragment.")
    host = (found["literal"] or found["host"]).lower()
    port = int(found["port"]) if found["port"] else None
    if port is not None and not 0 < port < 65536:
        raise ValidationError(f"The endpoint {url!r} has port {port}; ports are 1 to 65535.")
    return scheme, host, port, found["path"] or "/"


def _region_of(url: str, region: str | None) -> str | None:
    named = url.removeprefix("dynamodb://").rstrip("/")
    if not named:
        return region
    if named in ("local", "localhost") or named.startswith("localhost:"):
        raise ValidationError("dynamodb://… is for AWS's regions. For DynamoDB Local write http://localhost:8000.")
    if "@" in named:
        raise ValidationError(_NO_CREDENTIALS)
    _check_region(named)
    if region is not None and region != named:
        raise ValidationError(f"The endpoint names region {named!r} and region= names {region!r}: give one of them.")
    return named


def _check_region(region: str) -> None:
    if not _REGION.fullmatch(region):
        # What has a colon or is long may be a key or a secret that stands in the wrong place.
        shown = repr(region) if len(region) < 32 and ":" not in region else "This"
        raise ValidationError(f"{shown} is not the name of an AWS region; one looks like 'eu-west-1'.")


def _no_region() -> str:
    raise ValidationError(
        "No AWS region is configured: write dynamodb://eu-west-1, pass region=, or set AWS_REGION. "
        "A server of your own is written http://localhost:8000."
    )


def _configured_url(settings: Mapping[str, str]) -> str | None:
    if _flag(settings, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
        return None
    return settings.get("AWS_ENDPOINT_URL_DYNAMODB") or settings.get("AWS_ENDPOINT_URL") or None


def _region_for(host: str, aws: bool, settings: Mapping[str, str], profile: str | None) -> str:
    named = _REGION_IN_HOST.search(host) if aws else None
    if named is not None and _REGION.fullmatch(named[1]):
        return named[1]
    # A server of one's own takes any region: no reason to load botocore for it unless a profile is named.
    ask_profile = aws or profile is not None
    return _configured_region(settings, profile, ask_profile) or (_no_region() if aws else "us-east-1")


def _configured_region(settings: Mapping[str, str], profile: str | None, ask_profile: bool = True) -> str | None:
    region = settings.get("AWS_REGION") or settings.get("AWS_DEFAULT_REGION")
    if not region and ask_profile:
        from dynawire.engines.aws.credentials import profile_region

        region = profile_region(profile, settings)
    if region:
        _check_region(region)
    return region or None


def _flag(settings: Mapping[str, str], name: str) -> bool:
    return settings.get(name, "").lower() == "true"


def _aws_endpoint(region: str, fips: bool, dualstack: bool) -> Endpoint:
    suffix, dualstack_suffix = next(suffixes for start, *suffixes in _PARTITIONS if region.startswith(start))
    # GovCloud's ordinary endpoint is its FIPS endpoint.
    plain_name = not fips or (region.startswith("us-gov-") and not dualstack)
    name = "dynamodb" if plain_name else "dynamodb-fips"
    host = f"{name}.{region}.{dualstack_suffix if dualstack else suffix}"
    return Endpoint("https", host, None, "/", region, aws=True)
