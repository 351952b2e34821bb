"""`make demo`: a good release, a bad one that is taken back, and one that is refused."""

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
    Scene("Stage v1.5.0: good in staging", ("stage", "v1.5.0"), "released", "1.5.0", "staging"),
    Scene("Release v1.5.0: it crashes on start in ap-southeast-1", ("release", "v1.5.0"), "recovered", "1.4.0"),
    Scene("Release v1.6.0, which staging never verified", ("release", "v1.6.0"), "refused", "1.4.0"),
)

if __name__ == "__main__":
    sys.exit(tell(SCENES, speed=SPEED, name="demo"))
