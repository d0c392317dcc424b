"""Whether schematics, which nobody develops any more, can be imported on this Python."""

from __future__ import annotations

import importlib
import sys

WITHOUT_SCHEMATICS: str | None = None
"""Why it can't be; None when it can."""

try:
    importlib.import_module("schematics.models")
except Exception as error:  # noqa: BLE001 - on a new Python anything may go wrong in it
    version = ".".join(map(str, sys.version_info[:2]))
    WITHOUT_SCHEMATICS = f"schematics can't be imported on Python {version}: {type(error).__name__}: {error}"
