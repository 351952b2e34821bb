"""What Helm says on its standard error, as Tidegate's errors. Helm has one exit code, 1, for all of them."""

from __future__ import annotations

import re

from clients.kube_errors import Conflict, missing_right
from release.errors import Refused, TidegateError, Unavailable


class Pending(Refused):
    """A killed operation left the release `pending-*`: a rollback to an explicit revision clears it."""


class NoRelease(Refused):
    """There is no such release, or no such revision of it."""


_UNREACHABLE = re.compile(
    r"cluster unreachable|connection (refused|reset)|i/o timeout|deadline exceeded|handshake timeout|no such host"
    r"|no route to host|network is unreachable|client connection lost|request canceled|unexpected EOF|: EOF"
    r"|unable to handle the request|an error on the server|too many requests|server is too busy|etcdserver"
    r"|internal error occurred|was unable to return a response|service unavailable|http2: server sent GOAWAY",
    re.IGNORECASE,
)
_CHART = re.compile(
    r"meet the specifications of the schema|execution error at|parse error|error converting YAML|template: "
    r"|unable to build kubernetes objects|no matches for kind|is invalid: |unable to detect chart|unknown field"
    r"|incompatible with Kubernetes|failed to create typed patch object"
    r"|path \"[^\"]*\" not found|Chart.yaml|chart metadata|field not declared in schema|cannot unmarshal",
)


def from_stderr(stderr: str, command: str, context: str, release: str) -> TidegateError:
    """The error behind a failed `helm COMMAND`; its own words are kept, in one line of at most 600 characters."""
    text = _said(stderr)
    low = text.lower()
    where = f"{release} (context {context})" if release else f"context {context}"
    if "another operation" in low:
        return Pending(
            f"Another Helm operation on {where} is under way, or was killed and left it pending.",
            field="release",
            next_step=f"See `helm --kube-context {context} history {release}`; a rollback to an explicit revision "
            "clears it.",
        )
    if "release already exists" in low or "release: already exists" in low or "cannot re-use a name" in low:
        return Conflict(
            f"Another Helm operation on {where} was faster.", field="release", next_step="Observe, then try again."
        )
    if re.search(r'context "[^"]*" does not exist', text):
        return Refused(f"There is no context {context} in the kubeconfig.", field="context")
    if "not found" in low and re.search(r"release: not found|release has no|revision .* not found", low):
        return NoRelease(f"There is no such Helm release: {where}.", field="release")
    if "provide credentials" in low or "unauthorized" in low:
        return Refused(
            f"The credentials of context {context} are not accepted.",
            field="kubeconfig",
            next_step="Get a new token for its service account.",
        )
    return _of_cluster(text, command, context, where)


def only_own(conflict: Conflict, manager: str) -> bool:
    """Whether all fields in conflict were written by that field manager, be it once or for several fields."""
    others = re.findall(r'conflicts? with "([^"]*)"', conflict.what)
    return bool(others) and set(others) == {manager}


def _of_cluster(text: str, command: str, context: str, where: str) -> TidegateError:
    if (denied := missing_right(context, text)) is not None:
        return denied
    if "conflict occurred" in text or "Apply failed with" in text:
        return Conflict(
            f"Someone changed {where} behind Helm's back: {text}",
            field="release",
            next_step="Undo that change, or let the release take the field back.",
        )
    if _CHART.search(text):
        return Refused(
            f"The chart does not render to what the API server takes: {text}",
            field="chart",
            next_step="Mend the chart or its values; `helm template` shows what it makes.",
        )
    if _UNREACHABLE.search(text):
        return Unavailable(
            f"The API server of context {context} did not answer helm {command}: {text}",
            field="context",
            next_step=f"Try again; `kubectl --context {context} version` shows whether it answers.",
        )
    return Refused(f"helm {command} of {where} failed: {text}", field="helm")


def _said(stderr: str, limit: int = 600) -> str:
    """What follows the last `Error:`, without Helm's log lines."""
    lines = [line for line in stderr.splitlines() if line.strip() and not line.startswith("level=")]
    starts = [index for index, line in enumerate(lines) if line.startswith("Error:")]
    said = " ".join(" ".join(lines[starts[-1] :] if starts else lines).removeprefix("Error:").split())
    said = said.removesuffix(" Use --debug flag to render out invalid YAML")
    return said if len(said) <= limit else f"{said[: limit - 3]}..."
