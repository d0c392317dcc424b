"""The engine: DynamoDB's protocol over HTTP, for threads and event loops alike."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from dynawire.engines.aws.credentials import Credentials, credential_keeper, refuse_several_sources
from dynawire.engines.aws.endpoints import resolve_endpoint
from dynawire.engines.aws.http1 import Response
from dynawire.engines.aws.http_sync import SyncPool
from dynawire.engines.aws.options import check_options
from dynawire.engines.aws.responses import answer_of, service_time
from dynawire.engines.aws.retry import AttemptFailed, Exchange, RetryBudget, RetryPolicy
from dynawire.engines.aws.signing import RequestSigner
from dynawire.engines.aws.transport import Origin
from dynawire.errors import ConnectionFailed

if TYPE_CHECKING:
    import asyncio

    from dynawire.engines.aws.http_async import AsyncPool

__all__ = ["AwsEngine"]

_monotonic = time.monotonic


class AwsEngine:
    """Sends DynamoDB's operations over HTTP to AWS or to any server that speaks its protocol.

    One engine serves any number of threads and event loops at once, and a forked child goes on with it on connections
    of its own. Nothing is connected, and no credentials are looked for, before the first request.

    Args:
        endpoint: ``dynamodb://eu-west-1``, ``http://localhost:8000``, ``https://host/path``; None: AWS in the region
            configured (``AWS_ENDPOINT_URL_DYNAMODB`` and ``AWS_ENDPOINT_URL`` count as in AWS's own tools).
        region: AWS region; default: the one in the endpoint, ``AWS_REGION``, ``AWS_DEFAULT_REGION``, with botocore
            the profile's, and ``us-east-1`` for a server that is not AWS's.
        access_key_id: access key id, together with ``secret_access_key``.
        secret_access_key: secret of the access key.
        session_token: token of temporary credentials.
        profile: AWS profile to take credentials and region from; needs botocore (``pip install 'dynawire[aws]'``).
        credentials: function that returns :class:`Credentials`, called before the first request, before they expire,
            and when the service calls them expired; on a thread of its own for asynchronous callers. Without any of
            these: the environment, then botocore's chain; for a server that is not AWS's, ``local`` for key and secret.
        timeout: seconds from sending a request to the end of its response.
        connect_timeout: seconds a new connection may take, name resolution (asynchronous only) and TLS included.
        max_attempts: attempts per request, the first included.
        max_connections: connections open at once, for the threads together and for each event loop; further callers
            wait for one.
        verify: whether to check the server's TLS certificate. Without, anyone on the way can read and change all.
        ca_bundle: file of CA certificates (PEM) to trust instead of the system's; default ``AWS_CA_BUNDLE``.
        proxy: HTTP proxy to reach an ``https`` endpoint through, ``http://user:password@host:port``; ``""``: none;
            default: ``HTTPS_PROXY`` and ``NO_PROXY``.
        use_fips: use AWS's FIPS endpoints; default ``AWS_USE_FIPS_ENDPOINT``.
        use_dualstack: use AWS's endpoints that also answer on IPv6; default ``AWS_USE_DUALSTACK_ENDPOINT``.
        retry: all the limits on retries, in place of ``max_attempts``.

    Raises:
        ValidationError: the endpoint, region, proxy or a limit is not one that can be used.
        CredentialsError: half of an access key is given, or several sources of credentials.
    """

    remote: bool = True

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        region: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        session_token: str | None = None,
        profile: str | None = None,
        credentials: Callable[[], Credentials] | None = None,
        timeout: float = 20.0,
        connect_timeout: float = 5.0,
        max_attempts: int = 10,
        max_connections: int = 100,
        verify: bool = True,
        ca_bundle: str | None = None,
        proxy: str | None = None,
        use_fips: bool | None = None,
        use_dualstack: bool | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        check_options(
            seconds={"timeout": timeout, "connect_timeout": connect_timeout},
            counts={"max_attempts": (max_attempts, 1_000), "max_connections": (max_connections, 100_000)},
            verify=verify,
            flags={"use_fips": use_fips, "use_dualstack": use_dualstack},
            credentials=credentials,
            retry=retry,
        )
        # Before the endpoint, which may read the profile: that it is not there matters less.
        refuse_several_sources(access_key_id, secret_access_key, session_token, profile=profile, provider=credentials)
        place = resolve_endpoint(
            endpoint, region=region, profile=profile, use_fips=use_fips, use_dualstack=use_dualstack
        )
        self._endpoint = place
        self._origin = Origin(
            place, timeout=timeout, connect_timeout=connect_timeout, verify=verify, ca_bundle=ca_bundle, proxy=proxy
        )
        self._keeper = credential_keeper(
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            session_token=session_token,
            profile=profile,
            provider=credentials,
            aws=place.aws,
        )
        self._signer = RequestSigner(place)
        self._retry = retry or RetryPolicy(max_attempts=max_attempts)
        self._budget = RetryBudget()
        self._max_connections = max_connections
        self._pool = SyncPool(self._origin, max_connections)
        self._async_pools: dict[int, AsyncPool] = {}
        self._closed = False
        _engines.add(self)

    def __repr__(self) -> str:
        return f"AwsEngine({self._endpoint.url!r}, region={self._endpoint.region!r})"

    @property
    def endpoint(self) -> str:
        """The URL requests go to."""
        return self._endpoint.url

    @property
    def region(self) -> str:
        """The region requests are signed for."""
        return self._endpoint.region

    def send(self, operation: str, body: bytes, idempotent: bool = True) -> bytes:
        """Send one request and wait for its answer.

        Throttling, server errors and lost responses are retried as :class:`RetryPolicy` says, except what may have been
        applied when ``idempotent`` is false.

        Args:
            operation: DynamoDB's operation name, such as ``"PutItem"``.
            body: the request as JSON.
            idempotent: whether sending it twice leaves the same state and answer as sending it once.

        Raises:
            ConnectionFailed: the endpoint could not be reached, or a read got no answer; nothing was applied.
            OutcomeUnknown: the request may or may not have been applied.
            CredentialsError: there are no credentials, or the service refused them.
            DynawireError: what the service answered, by its code.
        """
        pool, keeper = self._pool, self._keeper
        exchange: Exchange | None = None
        while True:
            connection = None
            began = now = _monotonic()
            try:
                credentials = keeper.credentials
                if credentials is None or keeper.due:
                    if self._closed:
                        self._refuse(operation)
                    credentials = keeper.refresh()
                    now = _monotonic()
                connection = pool.take(now, idempotent)
                if connection is None:
                    self._refuse(operation)
                # Its time counts from here: to renew credentials, or to wait for a connection, may have taken long.
                message = self._signer.request(operation, body, credentials)
                response = connection.roundtrip(message, _monotonic())
            except BaseException as error:
                # Whatever ended the attempt, its response may still come: nobody else may get it.
                if connection is not None:
                    pool.discard(connection)
                if not isinstance(error, AttemptFailed):
                    raise
                exchange = exchange or self._exchange(operation, idempotent, began)
                delay = exchange.after_failure(error)
            else:
                answer: bytes | None
                if isinstance(response, bytes):
                    pool.give_back(connection)
                    answer = response
                else:
                    (pool.give_back if response.reusable else pool.discard)(connection)
                    answer = answer_of(operation, response)
                if answer is not None:
                    if self._budget.spent:
                        self._succeeded(exchange)
                    return answer
                assert not isinstance(response, bytes)
                exchange = exchange or self._exchange(operation, idempotent, began)
                delay = exchange.after_response(response)
            self._retry.sleep(delay)

    async def asend(self, operation: str, body: bytes, idempotent: bool = True) -> bytes:
        """The same, without blocking the event loop. Cancelling it is safe: its connection is dropped."""
        loop = self._running_loop()
        pool = self._async_pools.get(id(loop))
        if pool is None or pool.loop is not loop:
            pool = self._new_async_pool(operation, loop)
        keeper = self._keeper
        exchange: Exchange | None = None
        while True:
            connection = None
            began = _monotonic()
            try:
                credentials = keeper.credentials
                if credentials is None or keeper.due:
                    if self._closed:
                        self._refuse(operation)
                    credentials = await pool.credentials(keeper)
                connection = pool.take(idempotent)
                if connection is None:
                    connection = await pool.open()
                    if connection is None:
                        self._refuse(operation)
                response = await connection.send(self._signer.request(operation, body, credentials), idempotent)
            except BaseException as error:
                if connection is not None:
                    pool.discard(connection)
                if not isinstance(error, AttemptFailed):
                    raise
                exchange = exchange or self._exchange(operation, idempotent, began)
                delay = exchange.after_failure(error)
            else:
                pool.give_back(connection)
                answer = response if isinstance(response, bytes) else answer_of(operation, response)
                if answer is not None:
                    if self._budget.spent:
                        self._succeeded(exchange)
                    return answer
                assert not isinstance(response, bytes)
                exchange = exchange or self._exchange(operation, idempotent, began)
                delay = exchange.after_response(response)
            await self._retry.asleep(delay)

    def close(self) -> None:
        """End the connections: idle ones now, those in use once their response is in. Further calls are refused."""
        self._closed = True
        self._pool.close()
        while self._async_pools:
            _, pool = self._async_pools.popitem()
            pool.close_from_outside()

    async def aclose(self) -> None:
        """The same, having waited until the running event loop has let go of its idle connections."""
        self._closed = True
        loop = self._running_loop()
        pool = self._async_pools.get(id(loop))
        if pool is not None and pool.loop is loop:
            del self._async_pools[id(loop)]
            await pool.aclose()
        self.close()

    @staticmethod
    def _running_loop() -> asyncio.AbstractEventLoop:
        import asyncio

        return asyncio.get_running_loop()

    def _new_async_pool(self, operation: str, loop: asyncio.AbstractEventLoop) -> AsyncPool:
        from dynawire.engines.aws.http_async import AsyncPool

        if self._closed:
            self._refuse(operation)
        for key, pool in list(self._async_pools.items()):
            if pool.loop.is_closed():
                self._async_pools.pop(key, None)
        pool = self._async_pools[id(loop)] = AsyncPool(self._origin, self._max_connections)
        return pool

    def _exchange(self, operation: str, idempotent: bool, began: float) -> Exchange:
        refused = self._keeper.credentials
        return Exchange(
            self._retry,
            self._budget,
            operation,
            idempotent,
            self._endpoint.url,
            self._retry.clock() - (_monotonic() - began),
            renew_credentials=lambda: refused is not None and self._keeper.renew(refused),
            correct_clock=self._correct_clock,
        )

    def _correct_clock(self, response: Response) -> bool:
        now = service_time(response)
        return now is not None and self._signer.correct_clock(now)

    def _succeeded(self, exchange: Exchange | None) -> None:
        self._budget.earn(1)
        if exchange is not None:
            exchange.succeeded()

    def _refuse(self, operation: str) -> NoReturn:
        raise ConnectionFailed(
            f"{operation} was not sent: the connection to {self._endpoint.url} has been closed. Connect again.",
            endpoint=self._endpoint.url,
        )

    def _after_fork(self) -> None:
        self._pool.after_fork()
        # The parent's event loops do not run here, and their sockets must not be touched.
        self._async_pools = {}
        self._keeper.after_fork()
        self._budget.after_fork()
        self._origin.after_fork()


_engines: weakref.WeakSet[AwsEngine] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for engine in list(_engines):
        engine._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
