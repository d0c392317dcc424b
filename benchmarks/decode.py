"""CPU of reading a Query response of 100 items into instances, beside the floor: the same data as plain JSON.

Prints the two, in seconds, the least of several interleaved rounds; the argument is the number of rounds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import orjson

import sample
from rivals import dynawire_

CALLS = 100


def seconds(function: Callable[[], Any]) -> float:
    start = time.process_time()
    for _ in range(CALLS):
        function()
    return (time.process_time() - start) / CALLS


def main(rounds: int) -> None:
    body, plain_json = sample.page_body(), sample.page_as_plain_json()
    read_page = dynawire_.page_reader()
    items = read_page(body)
    assert [dynawire_.plain(item) for item in items] == orjson.loads(plain_json)
    figures = [(seconds(lambda: read_page(body)), seconds(lambda: orjson.loads(plain_json))) for _ in range(rounds)]
    print(*(min(column) for column in zip(*figures, strict=True)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
