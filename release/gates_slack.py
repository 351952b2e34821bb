"""The message in Slack that asks for approvals, with buttons, and what a pressed button says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from release.errors import Refused
from release.gates_votes import Decision

_ACTIONS: Mapping[str, Decision] = {"tidegate_approve": "approve", "tidegate_reject": "reject"}


@dataclass(frozen=True, slots=True)
class Press:
    """A pressed button. `user` is the presser's member id, `once` a number that only this press has."""

    run: str
    decision: Decision
    user: str
    once: int


def buttons(run: str) -> list[Mapping[str, Any]]:
    """Attachments with a button for each decision about `run`."""
    texts = {"approve": ("Approve", "primary"), "reject": ("Reject", "danger")}
    elements = [
        {
            "type": "button",
            "action_id": action,
            "value": run,
            "style": texts[decision][1],
            "text": {"type": "plain_text", "text": texts[decision][0]},
        }
        for action, decision in _ACTIONS.items()
    ]
    return [{"blocks": [{"type": "actions", "elements": elements}]}]


def press(body: bytes) -> Press:
    """The button that Slack's form-encoded body tells of. Raises Refused for anything else."""
    try:
        payload = json.loads(parse_qs(body.decode())["payload"][0])
        action = payload["actions"][0]
        decision = _ACTIONS[action["action_id"]]
        user, run = str(payload["user"]["id"]), str(action["value"])
        told = f"{payload['trigger_id']} {action['action_ts']}"
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise Refused("this is no button of Tidegate's.", field="payload") from error
    # Sixty-three bits fit a column of whole numbers.
    once = int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], "big") >> 1
    return Press(run, decision, user, once)
