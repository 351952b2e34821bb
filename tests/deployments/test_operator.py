"""The operator's part of the service, of real settings, in a world where nothing answers: it says so, and stands."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pyotp
import pytest
import yaml
from argon2 import PasswordHasher
from fastapi import FastAPI
from operator_world import ORIGIN, Browser, Clock

from clients.store import Store
from config import load
from deployments.service.operator import operating

SECRET = pyotp.random_base32()


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ada operates; kubeconfig and Prefect are not there."""
    config = tmp_path / "config"
    shutil.copytree(load.folder(), config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    settings = yaml.safe_load((config / "tidegate.yaml").read_text())
    (tmp_path / "totp").write_text(SECRET)
    (tmp_path / "password").write_text(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("pass"))
    files = {name: {"file": str(tmp_path / name)} for name in ("totp", "password")}
    settings |= {
        "people": {"ada": {"roles": ["operate"], **files}},
        "kubeconfig": str(tmp_path / "none"),
        "prefect": {"api": "http://127.0.0.1:9/api"},
        "login": {"lasts_h": 1},
    }
    (config / "tidegate.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.setenv("TIDEGATE_CONFIG", str(config))
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path / "home"))


async def test_a_world_that_does_not_answer_is_told_and_nothing_is_done(configured: None, tmp_path: Path) -> None:
    app = FastAPI()
    async with Store(f"sqlite:///{tmp_path / 'store.db'}") as store, operating(store) as routers:
        for router in routers:
            app.include_router(router)
        browser = Browser(app, Clock(time.time()))
        browser.http.headers["Origin"] = ORIGIN
        code = pyotp.TOTP(SECRET).now()
        answer = await browser.post("/login", {"name": "ada", "password": "pass", "code": code})
        assert answer.status_code == 303 and "max-age=3600" in answer.headers["set-cookie"].lower()
        page = await browser.get("/")
        assert page.status_code == 200
        assert 'class="headline bad"' in page.text
        assert "production us-east-1, eu-west-1, ap-southeast-1: cannot be seen" in page.text
        assert "Prefect does not answer" in page.text
        assert "No data: no release has ended yet" in page.text
        assert (await browser.get("/do/rollback/production")).status_code == 422
        assert (await browser.get("/history")).status_code == 200
        assert (await browser.get("/verdict/x/..%2f..%2fsecret.svg")).status_code in (404, 422)
