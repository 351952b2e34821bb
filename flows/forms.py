"""What the parameters of a pipeline offer in Prefect's forms: the words and regions there are, as drop-downs.

The offers are in the deployment's schema, so the server refuses a run with another word at once. A flow that is
called in place refuses it itself, naming the field and the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from config import load
from release.errors import TidegateError
from release.hotfix import SEVERITIES
from release.plan import STRATEGIES


@dataclass(frozen=True, slots=True)
class Offers:
    """The words of a drop-down, asked for when the schema is made; any word where there are none."""

    words: Callable[[], Sequence[str]]

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        made = handler(schema)
        words = list(self.words())
        return {**made, "enum": words} if words else made


def _regions() -> Sequence[str]:
    """Production's regions as the configuration has them now."""
    try:
        return list(load.environment("production", speed=1).regions)
    except TidegateError:
        return ()  # what is wrong with it is told by whoever runs


StrategyWord = Annotated[str, Offers(lambda: STRATEGIES)]
SeverityWord = Annotated[str, Offers(lambda: SEVERITIES)]
EnvironmentWord = Annotated[str, Offers(lambda: load.ENVIRONMENTS)]
RegionWord = Annotated[str, Offers(_regions)]
