"""Every copy behind the address answers, and all are the expected version."""

from tests.live.target import Wrong, main

LOOKS = 20


def check(target):
    target.good("/health")
    for _ in range(LOOKS):
        target.about()
    if target.expected not in target.good("/").body:
        raise Wrong(f"the shop page does not name version {target.expected}")
    if target.get("/no-such-page").status != 404:
        raise Wrong("an unknown page is not answered with 404")
    return f"{LOOKS} of {LOOKS} answers were version {target.expected}"


if __name__ == "__main__":
    main(check)
