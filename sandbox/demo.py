"""`make demo`: what a visitor should see: good releases, two bad ones that are taken back, one that is refused."""

from __future__ import annotations

import sys

from sandbox.story import Scene, tell

SPEED = 20
SCENES = (
    Scene("Stage v1.4.0: test, build once, deploy, verify", ("stage", "v1.4.0"), "released", "1.4.0", "staging"),
    Scene(
        "Release v1.4.0 to three regions; the first version ever has nothing to go back to",
        ("release", "v1.4.0", "--accept-no-way-back"),
        "released",
        "1.4.0",
    ),
    Scene(
        "Stage v1.5.0: good in staging, and its way back is rehearsed",
        ("stage", "v1.5.0"),
        "released",
        "1.5.0",
        "staging",
    ),
    Scene("Release v1.5.0: it crashes on start in ap-southeast-1", ("release", "v1.5.0"), "recovered", "1.4.0"),
    Scene("Release v1.6.0, which staging never verified", ("release", "v1.6.0"), "refused", "1.4.0"),
    Scene("Stage v1.6.0", ("stage", "v1.6.0"), "released", "1.6.0", "staging"),
    Scene("Canary, good: v1.6.0", ("release", "v1.6.0", "--strategy", "canary"), "released", "1.6.0"),
    Scene(
        "Stage v1.7.0: its errors show only with production's users",
        ("stage", "v1.7.0"),
        "released",
        "1.7.0",
        "staging",
    ),
    Scene("Canary, bad: v1.7.0 makes 6 % errors", ("release", "v1.7.0", "--strategy", "canary"), "recovered", "1.6.0"),
)

if __name__ == "__main__":
    sys.exit(tell(SCENES, speed=SPEED, name="demo"))
