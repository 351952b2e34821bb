"""The pipelines. A process that imports one traces it and writes its lines as the environment asks."""

from __future__ import annotations

from tasks import logs, telemetry

telemetry.start()
logs.start()
