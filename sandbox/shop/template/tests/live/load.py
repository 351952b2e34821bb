"""Users at LOAD_RPS for LOAD_SECONDS: at most LOAD_ERRORS of them may fail, the 95th percentile is bounded."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

from tests.live.target import Wrong, main


def check(target):
    rate, seconds = float(os.environ.get("LOAD_RPS", "50")), float(os.environ.get("LOAD_SECONDS", "1"))
    most_errors, most_seconds = (
        float(os.environ.get("LOAD_ERRORS", "0.01")),
        float(os.environ.get("LOAD_P95_S", "1")),
    )
    target.about()
    seen = arrive(target, rate, seconds)
    failed = [one for one in seen if one.status != 200]
    slow = sorted(one.seconds for one in seen)[int(len(seen) * 0.95)]
    found = f"{len(failed)} of {len(seen)} requests failed, 95th percentile {slow * 1000:.0f} ms"
    if len(failed) > most_errors * len(seen):
        raise Wrong(f"{found}; allowed are {most_errors:.1%}; one of them: {failed[0].status} {failed[0].body[:120]}")
    if slow > most_seconds:
        raise Wrong(f"{found}; allowed are {most_seconds * 1000:.0f} ms")
    target.about()
    return found


def arrive(target, rate, seconds):
    """What each user saw; they come at their times, however slow the answers are."""
    count = max(1, round(rate * seconds))
    started = time.perf_counter()
    with ThreadPoolExecutor(max_workers=32) as pool:
        waiting = []
        for number in range(count):
            time.sleep(max(0.0, started + number / rate - time.perf_counter()))
            waiting.append(pool.submit(target.get, "/"))
        return [one.result() for one in waiting]


if __name__ == "__main__":
    main(check)
