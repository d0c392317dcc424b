"""The embedded engine: DynamoDB inside the process, on SQLite, faithful to the service down to its error messages."""

from __future__ import annotations

from dynawire.engines.embedded.engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]
