"""Where long work keeps how far it got: a file that is replaced whole, or a function of the caller's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike, fspath
from typing import Any

import msgspec

from ..errors import ExpressionError

__all__ = ["CheckpointLike", "Checkpoints"]

CheckpointLike = str | PathLike[str] | Callable[[dict[str, Any]], None] | None


class Checkpoints:
    """Keeps the state of one run.

    Args:
        to: the path of a file, which is removed when the work is done; a function that receives each state, a dict that
            can be written as JSON; or None.
        resume: a state to continue from; None: what the file holds, when there is one.

    Raises:
        ExpressionError: the file holds no state.
    """

    def __init__(self, to: CheckpointLike, resume: Mapping[str, Any] | None) -> None:
        self._save: Callable[[dict[str, Any]], None] | None = None
        self._path: str | None = None
        self.resumed: Mapping[str, Any] | None = resume
        if to is None:
            return
        if callable(to):
            self._save = to
            return
        try:
            self._path = fspath(to)
        except TypeError:
            raise ExpressionError("checkpoint= takes the path of a file, or a function that keeps the state") from None
        if resume is None:
            self.resumed = self._read(self._path)

    def _read(self, path: str) -> Mapping[str, Any] | None:
        try:
            with open(path, "rb") as file:
                found: Mapping[str, Any] = msgspec.json.decode(file.read(), type=dict[str, Any])
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError:
            raise ExpressionError(
                f"checkpoint={path!r} is a file that holds no checkpoint; name another, or delete it"
            ) from None
        return found

    def refuse_unwritable(self) -> None:
        """Make sure that states can be kept, before any work is done.

        Raises:
            ExpressionError: the file can't be written.
        """
        if self._path is None:
            return
        import os

        beside = f"{self._path}.new"
        try:
            with open(beside, "wb"):
                pass
            os.remove(beside)
        except OSError as error:
            raise ExpressionError(
                f"checkpoint={self._path!r} can't be written ({error.strerror}); nothing was migrated"
            ) from None

    def keep(self, state: dict[str, Any]) -> None:
        """Keep a state in place of the one before; after a crash there is one of the two, whole."""
        if self._save is not None:
            self._save(state)
        if self._path is not None:
            self._replace(msgspec.json.encode(state))

    def _replace(self, content: bytes) -> None:
        import os

        assert self._path is not None
        beside = f"{self._path}.new"
        with open(beside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self._path)

    def done(self) -> None:
        """The work is done: there is nothing to continue."""
        if self._path is not None:
            import os
            from contextlib import suppress

            with suppress(FileNotFoundError):
                os.remove(self._path)
