"""`make demo`: what a visitor should see: good releases, a bad one that is taken back, and one that is refused."""

from __future__ import annotations

import sys

from sandbox.story import Scene, tell

SPEED = 30
# Requests a second and region, times the speed: a verdict comes as soon as enough were counted.
USERS = 60
SCENES = (
    Scene("Stage v1.4.0: test, build once, deploy, verify", ("stage", "v1.4.0"), "released", "1.4.0", "staging"),
    Scene(
        "Release v1.4.0 to three regions; the first version ever has nothing to go back to",
        ("release", "v1.4.0", "--accept-no-way-back"),
        "released",
        "1.4.0",
    ),
    Scene("Stage v1.6.0, and rehearse its way back", ("stage", "v1.6.0"), "released", "1.6.0", "staging"),
    Scene("A canary of v1.6.0, which is good", ("release", "v1.6.0", "--strategy", "canary"), "released", "1.6.0"),
    Scene(
        "Stage v1.7.0: its errors show only with production's users",
        ("stage", "v1.7.0"),
        "released",
        "1.7.0",
        "staging",
    ),
    Scene(
        "A canary of v1.7.0, which makes 6 % errors",
        ("release", "v1.7.0", "--strategy", "canary"),
        "recovered",
        "1.6.0",
    ),
    Scene("Release v1.8.0, which staging never verified", ("release", "v1.8.0"), "refused", "1.6.0"),
)

if __name__ == "__main__":
    sys.exit(tell(SCENES, speed=SPEED, users=USERS, name="demo"))
