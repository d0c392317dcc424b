"""``connect``: from a URL and the environment to a database."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from .database import WHAT_TO_WRITE, Database, made_current
from .engines.protocol import Engine
from .errors import DynawireError, UsageError, ValidationError
from .mapping.class_mapping import nearest
from .operations.twins import mark_coroutine_functions

__all__ = ["connect"]

_OPTIONS = ("table_prefix", "allow_scan")
"""Those of every database."""
_ENDPOINTS = ("endpoint_url", "endpoint", "host")
"""What the endpoint is called elsewhere."""


def connect(url: str | None = None, *, table_prefix: str = "", allow_scan: bool = True, **options: Any) -> Database:
    """Connect to a database. The one connected last is the default of every model.

    Nothing is sent and no file is touched until the first operation.

    Args:
        url: ``memory:`` (an engine in this process, gone with it), ``sqlite:///app.db`` (an engine in a file; the path
            is relative to the working directory of this moment), ``sqlite:////srv/app.db`` (with four slashes
            absolute), ``sqlite:///~/app.db`` (in the home directory), ``dynamodb://region`` (AWS),
            ``http://host:port`` or ``https://host:port`` (DynamoDB Local or any compatible endpoint). A path stands as
            it is, without escapes and parameters. None: the environment variable DYNAWIRE_URL, else AWS when a region
            is configured.
        table_prefix: put before every table name, as ``"staging-"``.
        allow_scan: whether ``find()`` and ``scan()`` may read whole tables. If not, they raise
            :class:`~dynawire.ScanNotAllowed`, except of a class declared with ``allow_scan=True`` and after
            ``.allow_scan()``.
        options: the engine's own. In a file: ``durable`` and ``lock_timeout`` of
            :class:`~dynawire.engines.embedded.EmbeddedEngine`. Over HTTP: ``region``, ``access_key_id``,
            ``secret_access_key``, ``session_token``, ``timeout`` and the others of
            :class:`~dynawire.engines.aws.AwsEngine`.

    Raises:
        DynawireError: the URL is none of these, or there is none and no region is configured.
    """
    database = Database(_engine(url, options), table_prefix=table_prefix, allow_scan=allow_scan)
    made_current(database)
    mark_coroutine_functions()
    return database


def _engine(url: str | None, options: dict[str, Any]) -> Engine:
    if url is not None and not isinstance(url, str):
        advice = f'write connect("sqlite:///{os.fspath(url)}")' if isinstance(url, os.PathLike) else WHAT_TO_WRITE
        raise UsageError(f"connect() takes a URL, not {type(url).__name__}; {advice}")
    url = url or os.environ.get("DYNAWIRE_URL")
    if not url:
        return _configured_aws(options)
    scheme = url.partition(":")[0].lower()
    if scheme in ("memory", "sqlite", "http", "https", "dynamodb"):
        url = scheme + url[len(scheme) :]  # upper or lower case, as in any URL
    if scheme in ("memory", "sqlite"):
        return _embedded(url, options)
    if scheme in ("http", "https", "dynamodb"):
        from .engines.aws import AwsEngine

        return _made(AwsEngine, url, options)
    raise DynawireError(f"{_without_secrets(url)!r} is not a database dynawire knows; write {_meant(url)}")


def _meant(url: str) -> str:
    """What to write instead of what is no URL of ours, as it may come from another library."""
    import re

    if "://" not in url and url.endswith((".db", ".sqlite", ".sqlite3")):
        return f'connect("sqlite:///{url}") for an engine in this file'
    if url == ":memory:":
        return 'connect("memory:") for an engine in this process'
    if re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-\d", url):
        return f'connect("dynamodb://{url}") for AWS in this region'
    if re.fullmatch(r"[\w.-]+:\d+/?", url):
        return f'connect("http://{url}") for this endpoint'
    return WHAT_TO_WRITE


def _configured_aws(options: dict[str, Any]) -> Engine:
    from .engines.aws import AwsEngine

    try:
        return _made(AwsEngine, None, options)
    except ValidationError as error:
        if not error.message.startswith("No AWS region"):
            raise
    raise DynawireError(
        f"no database named: set DYNAWIRE_URL, configure an AWS region (AWS_REGION), or write {WHAT_TO_WRITE}"
    )


def _embedded(url: str, options: dict[str, Any]) -> Engine:
    from .engines.embedded import EmbeddedEngine

    if url.startswith("memory:"):
        if url.removeprefix("memory:").strip("/"):
            raise DynawireError('write connect("memory:"); a memory database has no name')
        return _made(EmbeddedEngine, None, options)
    if ":memory:" in url or "mode=memory" in url or url.rstrip(":/") == "sqlite":
        raise DynawireError('write connect("memory:") for a database in memory, connect("sqlite:///app.db") for a file')
    path = url.removeprefix("sqlite:///")
    if url == "memory":
        raise DynawireError('write connect("memory:"), with a colon')
    if path == url:
        raise DynawireError(
            'write connect("sqlite:///app.db") for a file beside the program, connect("sqlite:////srv/app.db"), with '
            "four slashes, for an absolute path"
        )
    _, parameters, names = path.partition("?")
    if parameters or path.startswith("file:"):
        raise DynawireError(
            f"a database's URL takes no parameters such as {names.partition('=')[0] or 'file:'!r}; its options are "
            f'arguments: connect("sqlite:///app.db", durable=False). A file is read and written by all who have it open'
        )
    if path.startswith("~"):
        path = os.path.expanduser(path)
        if path.startswith("~"):
            raise DynawireError("no home directory is known for this '~'; write the whole path")
    return _made(EmbeddedEngine, path, options)


def _made(kind: Callable[..., Engine], place: str | None, options: dict[str, Any]) -> Engine:
    try:
        return kind(place, **options)
    except TypeError:
        from inspect import signature

        known = list(signature(kind).parameters)[1:]
        unknown = [name for name in options if name not in known]
        if not unknown:
            raise
        if unknown[0] in _ENDPOINTS:
            raise DynawireError(
                f'this database has no option {unknown[0]!r}; the endpoint is the URL: connect("http://localhost:8000")'
            ) from None
        listing = f"its options: {', '.join([*known, *_OPTIONS])}"
        raise DynawireError(
            f"this database has no option {unknown[0]!r}{nearest(unknown[0], [*known, *_OPTIONS], listing)}"
        ) from None


def _without_secrets(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return scheme + separator + rest.rpartition("@")[2] if separator else url
