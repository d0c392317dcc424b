"""Where credentials come from, when they are renewed, and that they are never shown."""

from __future__ import annotations

import asyncio
import datetime
import json
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dynawire.engines.aws import AwsEngine, Credentials
from dynawire.engines.aws.credentials import credential_keeper
from dynawire.errors import CredentialsError
from tests.aws.conftest import Client
from tests.aws.scripted import ScriptedServer, fault

KEY = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "hunter2"}
_EXPIRED = fault("ExpiredTokenException", "The security token included in the request is expired")


def shown(credentials: Credentials) -> tuple[str, str, str | None]:
    return credentials.access_key_id, credentials.secret_access_key, credentials.session_token


def no_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "botocore"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "botocore", None)


def test_the_order_of_sources() -> None:
    keeper = credential_keeper(access_key_id="A", secret_access_key="s", session_token="t", environment=KEY)
    assert shown(keeper.refresh()) == ("A", "s", "t")
    keeper = credential_keeper(provider=lambda: Credentials("P", "p"), environment=KEY)
    assert shown(keeper.refresh()) == ("P", "p", None)
    keeper = credential_keeper(environment=KEY)
    assert shown(keeper.refresh()) == ("AKID", "hunter2", None)
    keeper = credential_keeper(environment=KEY | {"AWS_SESSION_TOKEN": "token"}, aws=False)
    assert shown(keeper.refresh()) == ("AKID", "hunter2", "token")
    keeper = credential_keeper(environment={}, aws=False)
    assert shown(keeper.refresh()) == ("local", "local", None)
    assert not keeper.due


def test_halves_and_mixtures_are_refused() -> None:
    with pytest.raises(CredentialsError, match="give both"):
        credential_keeper(access_key_id="A")
    with pytest.raises(CredentialsError, match="give both"):
        credential_keeper(session_token="t")
    with pytest.raises(CredentialsError, match="one source"):
        credential_keeper(access_key_id="A", secret_access_key="s", profile="work")
    with pytest.raises(CredentialsError, match="one source"):
        credential_keeper(provider=lambda: Credentials("P", "p"), profile="work")
    with pytest.raises(CredentialsError, match="set both or neither"):
        credential_keeper(environment={"AWS_ACCESS_KEY_ID": "A"}).refresh()


@pytest.mark.parametrize("bad", ["", "line\nend", "carriage\rreturn", "two words", "ключ", "tab\t"])
def test_characters_that_would_break_out_of_a_header(bad: str) -> None:
    for make in (lambda: Credentials(bad, "s"), lambda: Credentials("A", bad)):
        with pytest.raises(CredentialsError) as caught:
            make()
        assert not bad or bad not in str(caught.value)


def test_nothing_shows_a_secret() -> None:
    credentials = Credentials("AKIDSHOWN", "hunter2", "token3")
    keeper = credential_keeper(provider=lambda: credentials)
    keeper.refresh()
    for text in (repr(credentials), str(credentials), repr(keeper)):
        assert not any(part in text for part in ("AKIDSHOWN", "hunter2", "token3"))


def test_without_any(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CredentialsError, match="No AWS credentials were found: set AWS_ACCESS_KEY_ID"):
        credential_keeper(environment={}).refresh()
    no_botocore(monkeypatch)
    with pytest.raises(CredentialsError, match=r"No AWS credentials .* pip install 'dynawire\[aws\]'"):
        credential_keeper(environment={"AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/"}).refresh()


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("AWS_PROFILE", "the environment variable AWS_PROFILE"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    ],
)
def test_what_needs_botocore_says_so(variable: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    no_botocore(monkeypatch)
    with pytest.raises(CredentialsError, match=f"configured by .*{told}, which needs botocore: pip install"):
        credential_keeper(environment={variable: "x"}).refresh()


def test_files_that_need_botocore_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_botocore(monkeypatch)
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = A\naws_secret_access_key = hunter2\n")
    keeper = credential_keeper(environment={"AWS_SHARED_CREDENTIALS_FILE": str(file)})
    with pytest.raises(CredentialsError, match=r"configured by .*credentials, which needs botocore") as caught:
        keeper.refresh()
    assert "hunter2" not in str(caught.value)
    with pytest.raises(CredentialsError, match="the profile 'work'"):
        credential_keeper(profile="work", environment={}).refresh()


def test_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "credentials"
    file.write_text(
        "[default]\naws_access_key_id = D\naws_secret_access_key = d\n"
        "[work]\naws_access_key_id = W\naws_secret_access_key = w\naws_session_token = t\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    assert shown(credential_keeper().refresh()) == ("D", "d", None)
    assert shown(credential_keeper(profile="work", aws=False).refresh()) == ("W", "w", "t")
    assert shown(credential_keeper(aws=False).refresh()) == ("local", "local", None)
    with pytest.raises(CredentialsError, match="absent"):
        credential_keeper(profile="absent").refresh()
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert shown(credential_keeper(aws=False).refresh()) == ("W", "w", "t")
    # A profile given by the program counts more than the environment's key, one named by the environment less.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "E")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "e")
    assert shown(credential_keeper().refresh()) == ("E", "e", None)
    assert shown(credential_keeper(profile="default").refresh()) == ("D", "d", None)


def process_profile(folder: Path, monkeypatch: pytest.MonkeyPatch, lifetime: float) -> None:
    """A profile whose credentials a program makes, numbered and short-lived."""
    expiration = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=lifetime)
    answer = {"Version": 1, "SecretAccessKey": "s", "SessionToken": "t", "Expiration": expiration.isoformat()}
    program = folder / "program.py"
    program.write_text(
        f"import json, pathlib\ncount = pathlib.Path({str(folder / 'count')!r})\n"
        "n = int(count.read_text()) + 1 if count.exists() else 1\ncount.write_text(str(n))\n"
        f"print(json.dumps({json.dumps(answer)} | {{'AccessKeyId': f'P{{n}}'}}))\n"
    )
    config = folder / "config"
    config.write_text(f"[default]\ncredential_process = {sys.executable} {program}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))


def test_botocore_renews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Five minutes are fewer than botocore lets pass, so it renews whenever it is asked.
    process_profile(tmp_path, monkeypatch, 300)
    now = [1000.0]
    keeper = credential_keeper(clock=lambda: now[0])
    first = keeper.refresh().access_key_id
    assert not keeper.due
    now[0] += 59
    assert not keeper.due
    now[0] += 2
    assert keeper.due
    assert keeper.refresh().access_key_id > first
    assert not keeper.due


def test_expired_credentials_of_the_chain_are_asked_for_anew(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process_profile(tmp_path, monkeypatch, 36_000)
    with ScriptedServer(_EXPIRED) as server:
        engine = client.connect(server.url, profile="default", region="us-east-1")
        assert client.send(engine, "UpdateItem", b'{"n":1}', idempotent=False) == b'{"n":1}'
        keys = [request.headers["authorization"].split("Credential=")[1].split("/")[0] for request in server.requests]
        assert keys == ["P1", "P2"]


def test_expired_credentials_of_a_function(client: Client) -> None:
    made: list[str] = []

    def provider() -> Credentials:
        made.append(f"KEY{len(made)}")
        return Credentials(made[-1], "s", "t")

    with ScriptedServer(_EXPIRED) as server:
        engine = client.connect(server.url, credentials=provider)
        for n in range(3):
            client.send(engine, "GetItem", b'{"n":%d}' % n)
        assert made == ["KEY0", "KEY1"]
        assert [made[0] in request.headers["authorization"] for request in server.requests] == [
            True,
            False,
            False,
            False,
        ]


def test_credentials_that_stay_expired(client: Client) -> None:
    with ScriptedServer(_EXPIRED, _EXPIRED, _EXPIRED) as server:
        engine = client.connect(server.url, credentials=lambda: Credentials("A", "s", "t"))
        with pytest.raises(CredentialsError, match="ExpiredTokenException"):
            client.send(engine, "GetItem")
        assert len(server.requests) == 2
        fixed = client.connect(server.url, access_key_id="A", secret_access_key="s", session_token="t")
        with pytest.raises(CredentialsError, match="ExpiredTokenException"):
            client.send(fixed, "GetItem")
        assert len(server.requests) == 3


def test_the_environment_is_read_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEY.items():
        monkeypatch.setenv(name, value)
    with ScriptedServer() as server:
        engine = client.connect(server.url)
        client.send(engine, "GetItem")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDNEW")
        server._script.append(_EXPIRED)
        client.send(engine, "GetItem")
        assert "Credential=AKIDNEW/" in server.requests[-1].headers["authorization"]


def test_refused_credentials(client: Client) -> None:
    refusal = fault("UnrecognizedClientException", "The security token included in the request is invalid.")
    with ScriptedServer(refusal) as server:
        engine = client.connect(server.url)
        with pytest.raises(CredentialsError, match="UnrecognizedClientException") as caught:
            client.send(engine, "GetItem")
        assert (caught.value.code, caught.value.request_id) == ("UnrecognizedClientException", "REQUEST1")
        assert len(server.requests) == 1


@pytest.mark.parametrize("code", ["InvalidSignatureException", "RequestTimeTooSkewed"])
def test_a_wrong_clock_is_corrected(client: Client, code: str) -> None:
    refusal = fault(
        code, "Signature not yet current: 20400101T000000Z …", headers={"Date": "Sun, 01 Jan 2040 00:00:00 GMT"}
    )
    with ScriptedServer(refusal) as server:
        engine = client.connect(server.url)
        client.send(engine, "UpdateItem", b'{"n":1}', idempotent=False)
        client.send(engine, "UpdateItem", b'{"n":2}', idempotent=False)
        assert [request.headers["x-amz-date"][:13] for request in server.requests[1:]] == ["20400101T0000"] * 2
        # A second refusal cannot be explained by the clock.
        server._script.extend([refusal, refusal])
        with pytest.raises(CredentialsError if code == "InvalidSignatureException" else Exception, match=code):
            client.send(engine, "UpdateItem", b'{"n":3}')
        assert len(server.requests) == 4


def test_a_clock_the_service_does_not_tell(client: Client) -> None:
    for date in ({}, {"Date": "yesterday"}):
        with ScriptedServer(fault("InvalidSignatureException", "Signature expired: …", headers=date)) as server:
            engine = client.connect(server.url)
            with pytest.raises(CredentialsError):
                client.send(engine, "GetItem")
            assert len(server.requests) == 1


class Provider:
    """Credentials that last ten minutes, by a clock of their own."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.calls = 0
        self.failing = False
        self.during: Callable[[], object] = lambda: None

    def __call__(self) -> Credentials:
        self.calls += 1
        self.during()
        if self.failing:
            raise OSError("hunter2")
        return Credentials(f"KEY{self.calls}", "s", "t", self.now + 600)


def test_renewal_before_expiry() -> None:
    provider = Provider()
    keeper = credential_keeper(provider=provider, clock=lambda: provider.now)
    assert keeper.due
    assert keeper.refresh().access_key_id == "KEY1"
    provider.now += 299
    assert not keeper.due
    provider.now += 2
    assert keeper.due
    # It fails, but what is held lasts some minutes yet.
    provider.failing = True
    assert keeper.refresh().access_key_id == "KEY1"
    assert not keeper.due
    provider.now += 11
    assert keeper.due
    assert keeper.refresh().access_key_id == "KEY1"
    provider.now += 300
    with pytest.raises(CredentialsError, match="failed with OSError") as caught:
        keeper.refresh()
    assert "hunter2" not in str(caught.value)
    provider.failing = False
    assert keeper.refresh().access_key_id == f"KEY{provider.calls}"


def test_others_go_on_with_what_holds_while_one_renews() -> None:
    provider = Provider()
    keeper = credential_keeper(provider=provider, clock=lambda: provider.now)
    keeper.refresh()
    provider.now += 400
    started, finish = threading.Event(), threading.Event()
    provider.during = lambda: (started.set(), finish.wait(30))
    with ThreadPoolExecutor(1) as threads:
        renewing = threads.submit(keeper.refresh)
        assert started.wait(30)
        assert keeper.refresh().access_key_id == "KEY1"
        finish.set()
        assert renewing.result().access_key_id == "KEY2"
    assert keeper.refresh().access_key_id == "KEY2"
    assert provider.calls == 2


def test_threads_that_have_none_wait_for_one_call() -> None:
    provider = Provider()
    keeper = credential_keeper(provider=provider, clock=lambda: provider.now)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: keeper.refresh().access_key_id, range(8)))
    assert (found, provider.calls) == (["KEY1"] * 8, 1)


def test_the_event_loop_runs_on_while_credentials_are_fetched() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        provider.during = lambda: (loop.call_soon_threadsafe(finish.set), finish.wait(30))
        # Were it called on the loop's own thread, the event could never be set.
        calls = [engine.asend("GetItem", b'{"n":%d}' % n) for n in range(10)]
        assert await asyncio.wait_for(asyncio.gather(*calls), 20) == [b'{"n":%d}' % n for n in range(10)]
        assert provider.calls == 1
        await engine.aclose()

    provider, finish = Provider(), threading.Event()
    provider.now = 4e9
    with ScriptedServer() as server:
        engine = AwsEngine(server.url, credentials=provider)
        asyncio.run(main())


def test_tasks_do_not_wait_for_a_renewal_that_is_only_due() -> None:
    async def main() -> None:
        await engine.asend("GetItem", b"{}")
        provider.now += 400
        provider.during = lambda: finish.wait(30)
        # Were it waited for, nothing would end the renewal.
        for n in range(3):
            assert await engine.asend("GetItem", b'{"n":%d}' % n) == b'{"n":%d}' % n
        (pool,) = engine._async_pools.values()
        refreshing = pool._refreshing
        assert refreshing is not None
        finish.set()
        await refreshing
        await engine.asend("GetItem", b"{}")
        await engine.aclose()

    provider, finish = Provider(), threading.Event()
    with ScriptedServer() as server:
        engine = AwsEngine(server.url, credentials=provider)
        engine._keeper._clock = lambda: provider.now
        engine._keeper._source._clock = lambda: provider.now  # type: ignore[attr-defined]
        asyncio.run(main())
        keys = [request.headers["authorization"].split("Credential=")[1].split("/")[0] for request in server.requests]
        assert keys == ["KEY1"] * 4 + ["KEY2"]


def test_a_provider_that_returns_something_else(client: Client) -> None:
    engine = client.connect("http://localhost:1", credentials=lambda: ("A", "s"))
    with pytest.raises(CredentialsError, match="returned a tuple"):
        client.send(engine, "GetItem")


def test_a_failing_provider(client: Client) -> None:
    def provider() -> Credentials:
        raise CredentialsError("The vault is sealed.")

    engine = client.connect("http://localhost:1", credentials=provider)
    for _ in range(2):
        with pytest.raises(CredentialsError, match="vault is sealed"):
            client.send(engine, "GetItem")
