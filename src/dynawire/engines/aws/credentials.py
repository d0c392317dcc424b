"""AWS credentials: where they come from, when they are renewed, and that nobody sees them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from dynawire.errors import CredentialsError

__all__ = ["CredentialKeeper", "Credentials", "credential_keeper", "profile_region"]

_RECHECK = 60.0
"""Seconds between two looks at botocore's chain, which itself renews 10 to 15 minutes before credentials expire."""
_EARLY = 300.0
"""Seconds before their expiry at which credentials of a function are asked for again; also how long those of botocore's
chain are taken to hold, which is less than it guarantees."""
_PAUSE = 10.0
"""Seconds until the next attempt when a renewal failed, or brought nothing newer, while the old ones still hold."""

_NEVER = float("inf")


class Credentials:
    """AWS credentials.

    Args:
        access_key_id: the access key id.
        secret_access_key: the secret.
        session_token: the token of temporary credentials, else None.
        expires_at: when they expire, in seconds since the epoch; None: never, or not known.

    Raises:
        CredentialsError: a part is empty, or holds characters no credential has.
    """

    __slots__ = ("access_key_id", "expires_at", "secret_access_key", "session_token")

    def __init__(
        self,
        access_key_id: str,
        secret_access_key: str,
        session_token: str | None = None,
        expires_at: float | None = None,
    ) -> None:
        for name, part in (
            ("access key id", access_key_id),
            ("secret access key", secret_access_key),
            ("session token", session_token or "-"),
        ):
            # Anything else would break out of the header it is put into; usually it is a pasted line end.
            if not part or not part.isascii() or not part.isprintable() or " " in part:
                raise CredentialsError(
                    f"The {name} is empty or has spaces, line ends or other characters it cannot have."
                )
        self.access_key_id = access_key_id
        self.secret_access_key = secret_access_key
        self.session_token = session_token or None
        self.expires_at = expires_at

    def __repr__(self) -> str:
        return f"<Credentials {'temporary' if self.session_token else 'long-term'}>"


class _Source(Protocol):
    renewable: bool
    """Whether asking again can give other credentials."""

    def load(self, again: bool) -> tuple[Credentials, float]:
        """The credentials, and when (seconds since the epoch) to ask next.

        Args:
            again: the service refused the last ones as expired, so nothing remembered may be used.
        """
        ...


class _Static:
    renewable = False

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def load(self, again: bool) -> tuple[Credentials, float]:
        return self._credentials, _NEVER


class _Provider:
    """A function of the caller's."""

    renewable = True

    def __init__(self, provider: Callable[[], Credentials], clock: Callable[[], float]) -> None:
        self._provider = provider
        self._clock = clock

    def load(self, again: bool) -> tuple[Credentials, float]:
        try:
            credentials = self._provider()
        except CredentialsError:
            raise
        except Exception as error:
            raise CredentialsError(f"The credentials function failed with {type(error).__name__}.") from error
        if not isinstance(credentials, Credentials):
            kind = type(credentials).__name__
            raise CredentialsError(f"The credentials function returned a {kind}; it must return dynawire Credentials.")
        if credentials.expires_at is None:
            return credentials, _NEVER
        soonest = min(self._clock() + _PAUSE, credentials.expires_at)
        return credentials, max(soonest, credentials.expires_at - _EARLY)


class _Chain:
    """The environment, then botocore's chain when it is installed."""

    renewable = True

    def __init__(self, profile: str | None, clock: Callable[[], float], settings: Mapping[str, str], aws: bool) -> None:
        self._profile = profile
        self._clock = clock
        self._settings = settings
        self._aws = aws
        self._resolved: Any = None

    def load(self, again: bool) -> tuple[Credentials, float]:
        if again:
            self._resolved = None
        found = None if self._profile else _from_environment(self._settings)
        if found is not None:
            return found, _NEVER
        if not self._aws and not self._profile and not self._settings.get("AWS_PROFILE"):
            # A server of one's own rarely checks them; asking botocore could mean seconds of waiting for an instance
            # metadata service that is not there.
            return Credentials("local", "local"), _NEVER
        if self._resolved is None:
            self._resolved = self._ask_botocore()
        try:
            frozen = self._resolved.get_frozen_credentials()
        except Exception as error:
            raise CredentialsError(f"AWS credentials could not be renewed: {error}") from error
        credentials = Credentials(frozen.access_key, frozen.secret_key, frozen.token)
        # Only those that botocore knows how to renew can change under us.
        if not hasattr(self._resolved, "refresh_needed"):
            return credentials, _NEVER
        credentials.expires_at = self._clock() + _EARLY
        return credentials, self._clock() + _RECHECK

    def _ask_botocore(self) -> Any:
        try:
            session = _botocore_session(self._profile)
            resolved = session.get_credentials()
        except ImportError:
            raise CredentialsError(self._without_botocore()) from None
        except Exception as error:
            raise CredentialsError(f"AWS credentials could not be loaded: {error}") from error
        if resolved is None:
            raise CredentialsError(
                "No AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, configure a profile, "
                "or pass access_key_id= and secret_access_key=."
            )
        return resolved

    def _without_botocore(self) -> str:
        configured = _configured_elsewhere(self._profile, self._settings)
        if configured:
            return f"AWS credentials are configured by {configured}, which needs botocore: pip install 'dynawire[aws]'"
        return (
            "No AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or pass access_key_id= "
            "and secret_access_key=. For profiles, SSO and roles: pip install 'dynawire[aws]'"
        )


class CredentialKeeper:
    """Holds the credentials in use and knows when to ask for others.

    Attributes:
        credentials: those in use, or None before the first :meth:`refresh`.
        check_at: when to call :meth:`refresh` next, in seconds since the epoch.
    """

    __slots__ = ("_again", "_clock", "_lock", "_source", "check_at", "credentials")

    def __init__(self, source: _Source, clock: Callable[[], float] = time.time) -> None:
        self._source = source
        self._clock = clock
        self._lock = threading.Lock()
        self._again = False
        self.credentials: Credentials | None = None
        self.check_at = 0.0

    def __repr__(self) -> str:
        return f"<CredentialKeeper {type(self._source).__name__.strip('_')}>"

    @property
    def due(self) -> bool:
        """Whether :meth:`refresh` must be called before the next request."""
        return self.credentials is None or self.check_at <= self._clock()

    @property
    def usable(self) -> Credentials | None:
        """Credentials that still hold, whether or not it is time to renew them; None when there are none."""
        held = self.credentials
        if held is None or self._again or (held.expires_at is not None and held.expires_at <= self._clock()):
            return None
        return held

    def refresh(self) -> Credentials:
        """Credentials that can be used now. May wait for a network.

        Raises:
            CredentialsError: there are none.
        """
        held = self.usable
        # While one thread renews credentials that still hold, the others go on with them.
        if held is None:
            self._lock.acquire()
        elif not self._lock.acquire(blocking=False):
            return held
        try:
            if self.credentials is not None and not self.due:
                return self.credentials
            try:
                found, self.check_at = self._source.load(self._again)
            except CredentialsError:
                if held is None:
                    raise
                self.check_at = self._clock() + _PAUSE
                return held
            self.credentials = found
            self._again = False
            return found
        finally:
            self._lock.release()

    def renew(self, refused: Credentials) -> bool:
        """Have the next :meth:`refresh` replace credentials that the service says are expired.

        Returns:
            Whether asking again can help.
        """
        if not self._source.renewable:
            return False
        with self._lock:
            if self.credentials is refused:
                self._again = True
                self.check_at = 0.0
        return True

    def after_fork(self) -> None:
        """Make it usable in a child process, where no other thread can give the lock back."""
        self._lock = threading.Lock()


def refuse_several_sources(*access_key: str | None, profile: str | None, provider: object) -> None:
    """Refuse more than one source of credentials.

    Raises:
        CredentialsError: there are two or more.
    """
    explicit = any(part is not None for part in access_key)
    if explicit + (profile is not None) + (provider is not None) > 1:
        raise CredentialsError("Give one source of credentials: an access key, profile= or credentials=.")


def credential_keeper(
    *,
    access_key_id: str | None = None,
    secret_access_key: str | None = None,
    session_token: str | None = None,
    profile: str | None = None,
    provider: Callable[[], Credentials] | None = None,
    aws: bool = True,
    environment: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.time,
) -> CredentialKeeper:
    """The keeper of the credentials that the arguments ask for. Nothing is loaded yet.

    The first of these counts: the access key given, the function given, the profile given, ``AWS_ACCESS_KEY_ID`` with
    ``AWS_SECRET_ACCESS_KEY`` and ``AWS_SESSION_TOKEN``, then botocore's chain (profiles, SSO, web identity, container
    and instance roles). For a server that is not AWS's the chain is asked only when a profile is named; otherwise
    ``local`` stands for key and secret.

    Raises:
        CredentialsError: only half of an access key is given, or two sources at once.
    """
    refuse_several_sources(access_key_id, secret_access_key, session_token, profile=profile, provider=provider)
    source: _Source
    if access_key_id is not None or secret_access_key is not None or session_token is not None:
        if access_key_id is None or secret_access_key is None:
            raise CredentialsError("access_key_id= and secret_access_key= belong together: give both.")
        source = _Static(Credentials(access_key_id, secret_access_key, session_token))
    elif provider is not None:
        source = _Provider(provider, clock)
    else:
        source = _Chain(profile, clock, os.environ if environment is None else environment, aws)
    return CredentialKeeper(source, clock)


def profile_region(profile: str | None, settings: Mapping[str, str]) -> str | None:
    """The region of an AWS profile, or None when there is none or botocore is not installed.

    Raises:
        CredentialsError: the profile named does not exist, or AWS's configuration files cannot be read.
    """
    if profile is None and not settings.get("AWS_PROFILE") and _aws_files(settings) is None:
        return None
    try:
        region = _botocore_session(profile).get_config_variable("region")
    except ImportError:
        return None
    except Exception as error:
        raise CredentialsError(f"AWS's configuration could not be read: {error}") from error
    return str(region) if region else None


def _botocore_session(profile: str | None) -> Any:
    import botocore.session

    return botocore.session.Session(profile=profile)


def _from_environment(settings: Mapping[str, str]) -> Credentials | None:
    key, secret = settings.get("AWS_ACCESS_KEY_ID"), settings.get("AWS_SECRET_ACCESS_KEY")
    if key and not secret:
        raise CredentialsError("AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY: set both or neither.")
    if not key or not secret:
        return None
    return Credentials(key, secret, settings.get("AWS_SESSION_TOKEN"))


def _aws_files(settings: Mapping[str, str]) -> str | None:
    for variable, default in (("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config")):
        path = settings.get(variable) or os.path.join("~", ".aws", default)
        if os.path.isfile(os.path.expanduser(path)):
            return path
    return None


def _configured_elsewhere(profile: str | None, settings: Mapping[str, str]) -> str | None:
    if profile:
        return f"the profile {profile!r}"
    for variable in (
        "AWS_PROFILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    ):
        if settings.get(variable):
            return f"the environment variable {variable}"
    return _aws_files(settings)
