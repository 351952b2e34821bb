"""Is it up, and is it the version that was deployed?"""

from tests.live.target import main


def check(target):
    target.good("/health")
    target.about()
    target.good("/")
    return f"version {target.expected} is up"


if __name__ == "__main__":
    main(check)
