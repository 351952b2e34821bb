"""Slack's failures, named by what the caller does about them; never with an address or a token."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookResponse

from release.errors import Refused, TidegateError, Unavailable

_TOKEN = "slack.token"  # noqa: S105 - the setting's name
_LATER = "Try again; if it stays so, look at https://slack-status.com."
_TEMPORARY = {
    "fatal_error",
    "internal_error",
    "ratelimited",
    "rate_limited",
    "request_timeout",
    "rollup_error",
    "service_unavailable",
    "team_added_to_org",
}
_ABOUT_TOKEN = {
    "access_denied",
    "account_inactive",
    "ekm_access_denied",
    "invalid_auth",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_authed",
    "org_login_required",
    "token_expired",
    "token_revoked",
}
_ABOUT_CHANNEL = {
    "channel_not_found": "Check the channel's name, and that it exists.",
    "channel_is_archived": "Unarchive the channel, or name another one.",
    "is_archived": "Unarchive the channel, or name another one.",
    "not_in_channel": "Invite the bot into the channel.",
    "restricted_action": "Allow the bot to post in the channel.",
}


def from_api(channel: str, error: SlackApiError) -> TidegateError:
    """A failed call of the Web API as Refused or Unavailable."""
    response = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    data = getattr(response, "data", None)
    if not isinstance(data, Mapping) or "error" not in data:
        return _by_status(status)
    word = str(data["error"])
    if word in _TEMPORARY or status == 429 or status >= 500:
        return _busy(word, response.headers)
    if word in _ABOUT_TOKEN:
        return Refused(
            f"Slack does not accept the bot token ({word}).",
            field=_TOKEN,
            next_step="Put a valid bot token with the scopes that docs/configuration.md names where the settings say.",
        )
    return _refused(channel, word, "Mend what Slack names.")


def from_webhook(channel: str, answer: WebhookResponse) -> TidegateError:
    """An incoming webhook's answer that is not `ok`, as Refused or Unavailable."""
    word = answer.body.strip() if len(answer.body) < 60 and answer.body.isascii() else ""
    if word in _TEMPORARY or answer.status_code == 429 or answer.status_code >= 500:
        return _busy(word or str(answer.status_code), answer.headers)
    if answer.status_code < 400:
        return _by_status(answer.status_code)
    if word in _ABOUT_CHANNEL or word.startswith("invalid_payload"):
        return _refused(channel, word, "Mend what Slack names.")
    return Refused(
        f"Slack does not accept the webhook of #{channel} ({word or answer.status_code}).",
        field=f"slack.webhooks.{channel}",
        next_step="Make a new incoming webhook for the channel and put it where the settings say.",
    )


def unreachable(error: Exception) -> TidegateError:
    """No answer at all. Only the kind of error is told: its text can hold the address."""
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return Refused("An address of Slack in the settings is not one that can be called.", field="slack")
    if isinstance(error, TimeoutError):
        return Unavailable("Slack did not answer in time.", next_step=_LATER)
    return Unavailable(f"Slack cannot be reached ({type(error).__name__}).", next_step=_LATER)


def upload() -> TidegateError:
    """A picture that was not taken; the library's text would name the address it was sent to."""
    return Unavailable("Slack did not take a picture.", next_step=_LATER)


def _by_status(status: int) -> Unavailable:
    return Unavailable(f"Something answered {status} in Slack's place, or Slack is down.", next_step=_LATER)


def _busy(word: str, headers: Mapping[str, str]) -> Unavailable:
    seconds = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    return Unavailable(
        f"Slack did not take the message ({word}).",
        next_step=f"Try again in {seconds} s." if seconds else _LATER,
    )


def _refused(channel: str, word: str, otherwise: str) -> Refused:
    return Refused(
        f"Slack did not take the message for #{channel} ({word}).",
        field="slack",
        next_step=_ABOUT_CHANNEL.get(word, otherwise),
    )
