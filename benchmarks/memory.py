"""How this process grows while dynawire iterates over every item of a long Scan.

Prints the number of items and the growth in bytes of the resident memory's peak since the first tenth of them.
"""

from __future__ import annotations

import resource
import sys

from rivals import dynawire_


def peak_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main(url: str, items: int) -> None:
    dynawire_.start(url)
    early = 0
    count = 0
    for _ in dynawire_.User.scan():
        count += 1
        if count == items // 10:
            early = peak_bytes()
    dynawire_.stop()
    print(count, peak_bytes() - early)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
