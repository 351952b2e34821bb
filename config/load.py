"""Reading the configuration: what `tidegate serve --all` brought up, the checkout's files, then what the sandbox laid
over them, then the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from config import text
from release.environment import Environment
from release.errors import Refused

# Pydantic is imported where a file is read: a command line that asks for help need not wait for it.
if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from config.settings import Settings

CHECKOUT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ("development", "staging", "production")
# An overlay's regions and secrets replace the file's: a real region must never be left among simulated ones.
_REPLACED = ("regions", "secrets", "waves")
# Home -> its target when this process first looked: a sandbox that goes away must not leave a run on the real thing.
_targets: dict[Path, str] = {}
# The settings last found good, with what they were made of: checking them again is a tenth of a release's work.
_checked: list[tuple[tuple[Path, dict[str, Any], dict[str, str]], Settings]] = []


def home() -> Path:
    """This checkout's state: `TIDEGATE_HOME`, else `.tidegate` in the checkout."""
    return Path(os.environ.get("TIDEGATE_HOME") or CHECKOUT / ".tidegate").absolute()


def cache() -> Path:
    """What all checkouts of a machine share: `TIDEGATE_CACHE`, else `tidegate` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("TIDEGATE_CACHE") or Path(base) / "tidegate").absolute()


def folder() -> Path:
    """The folder of configuration files: `TIDEGATE_CONFIG`, else `config` in the checkout."""
    return Path(os.environ.get("TIDEGATE_CONFIG") or CHECKOUT / "config").absolute()


def served() -> Path:
    """What `tidegate serve --all` brought up: settings for what the files leave out."""
    return home() / "serve" / "tidegate.yaml"


def settings() -> Settings:
    """The settings. Raises Refused that names the file, the key and the rule."""
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from config.settings import Settings

    source, data = _read("tidegate")
    variables = {name: value for name, value in os.environ.items() if name.upper().startswith("TIDEGATE__")}
    made_of = (home(), data, variables)
    if _checked and _checked[0][0] == made_of:
        return _checked[0][1]
    try:
        found = Settings(**deepcopy(data))
    except ValidationError as error:
        raise _refused(source, error) from None
    except SettingsError as error:
        raise _not_json(error) from None
    if found.target != "sandbox" and (found.sandbox.speed, found.sandbox.timer_speed) != (1, 1):
        raise Refused(
            "a speed is accepted only where the target is the sandbox.",
            field=f"{source}: sandbox.speed",
            next_step="Remove it, or start the sandbox with `tidegate sandbox up --speed N`.",
        )
    began = _targets.setdefault(home(), found.target)
    if began != found.target:
        raise Refused(
            f"the target was {began} when this process began and is {found.target} now: nothing more is done.",
            field=f"{source}: target",
            next_step="Start the command again, if that is the target you mean.",
        )
    _checked[:] = [(made_of, found)]
    return found


def environment(name: str, speed: float | None = None) -> Environment:
    """One environment. Raises Refused for an unknown name or a broken file, naming the key and the rule."""
    if name not in ENVIRONMENTS:
        raise Refused(
            f"there is no environment {name!r}.",
            field="environment",
            next_step=f"Choose one of {', '.join(ENVIRONMENTS)}.",
        )
    from pydantic import ValidationError

    from config.schema import Environment as EnvironmentModel

    source, data = _read(name)
    try:
        model = EnvironmentModel.model_validate(data)
    except ValidationError as error:
        raise _refused(source, error) from None
    if model.dispatch == "regional" and name != "production":
        raise Refused(
            f"{name} is worked on by whoever runs its pipeline.",
            field=f"{source}: dispatch",
            next_step="Only production may say regional.",
        )
    found = settings()
    return model.build(name, found.speed if speed is None else speed, found.timer_speed)


def _read(name: str) -> tuple[str, dict[str, Any]]:
    path = folder() / f"{name}.yaml"
    laid_over = home() / "overlay" / f"{name}.yaml"
    data = _yaml(path)
    if name == "tidegate" and served().exists():
        data = _merge(_yaml(served()), data)
    if not laid_over.exists():
        return path.name, data
    return f"{path.name} with the sandbox's overlay", _merge(data, _yaml(laid_over))


@lru_cache(maxsize=32)
def _parsed(words: str) -> Any:
    """A release asks for its settings hundreds of times; without this, a third of its processor time was parsing."""
    return yaml.safe_load(words)


def _yaml(path: Path) -> dict[str, Any]:
    try:
        data = deepcopy(_parsed(text.read(path, path.name)))
    except FileNotFoundError:
        raise Refused(
            "the file is missing.", field=str(path), next_step="Create it, or set TIDEGATE_CONFIG to its folder."
        ) from None
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise Refused(f"not valid YAML{line}: {problem}.", field=path.name, next_step="Mend the file.") from None
    except ValueError as error:  # a date that is none
        raise Refused(f"not valid YAML: {error}.", field=path.name, next_step="Mend the file.") from None
    if not isinstance(data, dict):
        raise Refused("the file must be a mapping of keys.", field=path.name, next_step="Mend the file.")
    if strange := [key for key in data if not isinstance(key, str)]:
        raise Refused(f"the key {strange[0]!r} is no text.", field=path.name, next_step="Mend that key.")
    return data


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        deep = isinstance(old, dict) and isinstance(value, dict) and key not in _REPLACED
        merged[key] = _merge(old, value) if deep and isinstance(old, dict) else value
    return merged


def _not_json(error: SettingsError) -> Refused:
    """A variable that stands for a whole section and is no JSON."""
    found = re.search(r'field "(\w+)"', str(error))
    name = f"TIDEGATE__{found[1].upper()}" if found else "TIDEGATE__..."
    return Refused(
        "the variable stands for a section, and its value is no JSON object.",
        field=name,
        next_step=f"Name one key of it, such as {name}__URL, or unset the variable.",
    )


def _refused(source: str, error: ValidationError) -> Refused:
    first, *others = error.errors(include_url=False, include_input=False)
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    more = f" ({len(others)} more after it)" if others else ""
    return Refused(
        f"{first['msg'].removeprefix('Value error, ')}{more}.", field=f"{source}: {key}", next_step="Mend that key."
    )
