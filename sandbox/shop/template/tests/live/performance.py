"""How fast a page is: the median and the slowest of a few, one after the other."""

import os
import statistics

from tests.live.target import Wrong, main

PAGES = 30


def check(target):
    allowed = float(os.environ.get("PERFORMANCE_MEDIAN_S", "0.5"))
    target.about()
    times = [target.good("/").seconds for _ in range(PAGES)]
    found = f"median {statistics.median(times) * 1000:.1f} ms, slowest {max(times) * 1000:.1f} ms of {PAGES} pages"
    if statistics.median(times) > allowed:
        raise Wrong(f"{found}; allowed is a median of {allowed * 1000:.0f} ms")
    return found


if __name__ == "__main__":
    main(check)
