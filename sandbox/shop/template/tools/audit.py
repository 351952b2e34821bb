"""The dependency audit: every dependency is pinned, and none is named by an advisory of AUDIT_LEVEL (low) or worse.

It needs no network: `advisories.json` says for which dependencies (`audited`, as `name==version`) somebody asked a
real audit, such as pip-audit, and what was found (`advisories`: package, version, severity and text).
"""

import json
import os
import sys
from pathlib import Path

LEVELS = ("low", "moderate", "high", "critical")


def dependencies(path):
    for line in Path(path).read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text:
            name, _, version = text.partition("==")
            yield name.strip(), version.partition(";")[0].strip()


def problems(found, known, level):
    for name, version in found:
        if not version:
            yield f"{name}: not pinned"
        elif f"{name}=={version}" not in known["audited"]:
            yield f"{name} {version}: nobody looked for advisories"
        for one in known["advisories"]:
            if (one["package"], one["version"]) == (name, version):
                if LEVELS.index(one["severity"]) >= LEVELS.index(level):
                    yield f"{name} {version}: {one['severity']}: {one['text']}"


def main(requirements, advisories):
    level = os.environ.get("AUDIT_LEVEL", "low")
    found = list(dependencies(requirements))
    bad = list(problems(found, json.loads(Path(advisories).read_text()), level))
    print("\n".join([*bad, f"{len(found)} dependencies, {len(bad)} problems of level {level} or worse"]))
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
