"""`make tour`: every pipeline and every strategy, each strategy once with a good and once with a bad version."""

from __future__ import annotations

import sys

from sandbox import facts
from sandbox.story import Scene, tell

SPEED = 30
# Requests a second and region, times the speed: a verdict comes as soon as enough were counted.
USERS = 30
SCENES = (
    Scene(
        "A feature branch is tested and built, and goes nowhere",
        ("develop", "feature/wishlist"),
        "built",
        None,
        "development",
        (facts.built("feature/wishlist"), facts.deployed_nowhere("feature/wishlist")),
    ),
    Scene(
        "develop goes to the development environment",
        ("develop", "develop"),
        "released",
        None,
        "development",
        (facts.serves("development", "develop"),),
    ),
    Scene("Stage v1.3.0", ("stage", "v1.3.0"), "released", "1.3.0", "staging"),
    Scene(
        "Rolling, good: the first version ever",
        ("release", "v1.3.0", "--strategy", "rolling", "--accept-no-way-back"),
        "released",
        "1.3.0",
    ),
    Scene("Stage v1.4.0, its way back rehearsed", ("stage", "v1.4.0"), "released", "1.4.0", "staging"),
    Scene("Blue-green, good", ("release", "v1.4.0", "--strategy", "blue-green"), "released", "1.4.0"),
    Scene("Stage v1.5.0", ("stage", "v1.5.0"), "released", "1.5.0", "staging"),
    Scene("Rolling, bad in one region", ("release", "v1.5.0", "--strategy", "rolling"), "recovered", "1.4.0"),
    Scene(
        "A person lets v1.5.0 be tried once more: it was quarantined when it was taken back",
        ("quarantine", "lift", "v1.5.0", "--reason", "the tour shows how blue-green takes it back"),
        "lifted",
        "1.4.0",
    ),
    Scene("Blue-green, bad in one region", ("release", "v1.5.0", "--strategy", "blue-green"), "recovered", "1.4.0"),
    Scene("Stage v1.6.0", ("stage", "v1.6.0"), "released", "1.6.0", "staging"),
    Scene("Canary, good", ("release", "v1.6.0", "--strategy", "canary"), "released", "1.6.0"),
    Scene(
        "Stage v1.7.0: its errors show only with production's users",
        ("stage", "v1.7.0"),
        "released",
        "1.7.0",
        "staging",
    ),
    Scene("Canary, bad: 6 % errors", ("release", "v1.7.0", "--strategy", "canary"), "recovered", "1.6.0"),
    Scene(
        "A critical hotfix, one region at a time",
        ("hotfix", "hotfix/stock"),
        "released",
        "1.6.1",
        facts=(
            facts.tagged("v1.6.1", "hotfix/stock"),
            facts.published("v1.6.1"),
            facts.merged("hotfix/stock", "main"),
            facts.merged("main", "develop"),
        ),
    ),
    Scene("A rollback", ("rollback", "--reason", "the tour ends where it was"), "released", "1.6.0"),
)

if __name__ == "__main__":
    sys.exit(tell(SCENES, speed=SPEED, users=USERS, name="tour"))
