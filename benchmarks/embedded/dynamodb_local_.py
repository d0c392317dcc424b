"""AWS's DynamoDB Local, called through boto3's client: the CPU of both is counted."""

from __future__ import annotations

import os
import time
from pathlib import Path

from embedded.moto_ import fill, update
from rivals import boto3_
from rivals.boto3_ import get, plain, put, query
from tests.support.dynamodb_local import DynamoDBLocal, Unavailable

__all__ = ["cpu", "get", "plain", "put", "query", "start", "stop", "update"]


def start(url: str) -> None:
    global _server
    if not Path("/proc/self/stat").exists():
        raise SystemExit("the server's CPU can be read from /proc only, which this system does not have")
    try:
        _server = DynamoDBLocal()
    except Unavailable as error:
        raise SystemExit(str(error)) from None
    boto3_.start(_server.url)
    fill()


def stop() -> None:
    _server.stop()


def cpu() -> float:
    """CPU seconds of this process and of the server's."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        if int(fields[3]) == _server.session:
            ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")
