from __future__ import annotations

from pathlib import Path

import pytest

from config import load
from sandbox import overlay, people

SECRETS = {
    **people.secrets(),
    "registry": "r-secret",
    "github": "g-secret",
    "github-webhook": "w-secret",
    "backup": "b-secret",
    **{f"slack-{channel}": f"http://127.0.0.1:7/services/{channel}" for channel in overlay.CHANNELS},
}


def region(environment: str, name: str, context: str) -> overlay.RegionAddress:
    previews = {"blue": "http://127.0.0.1:2", "green": "http://127.0.0.1:3"}
    return overlay.RegionAddress(environment, name, context, context, "http://127.0.0.1:1", previews)


def addresses(folder: Path) -> overlay.Addresses:
    regions = [region("development", "development", "development"), region("staging", "staging", "staging")]
    regions += [region("production", name, f"production-{name}") for name in ("us-east-1", "eu-west-1", "ca-1")]
    return overlay.Addresses(
        kubeconfig=folder / "kubeconfig",
        helm="/tools/helm",
        registry="http://127.0.0.1:4",
        username="tidegate",
        git="http://127.0.0.1:5/shop.git",
        github="http://127.0.0.1:6",
        repository="tidegate/shop",
        slack="http://127.0.0.1:7",
        backup="http://127.0.0.1:8/backup",
        monitoring="http://127.0.0.1:9",
        monitoring_webhook="http://127.0.0.1:9/hook",
        builder="archive",
        engine=None,
        prefect="http://127.0.0.1:10/api",
        database=Path("/d/database"),
        speed=8,
        regions=tuple(regions),
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.delenv("TIDEGATE_CONFIG", raising=False)
    return tmp_path


def test_settings_are_accepted_and_name_the_sandbox_only(home: Path) -> None:
    overlay.write(home, addresses(home), SECRETS, {"DB_PASSWORD": "d-secret"})
    settings = load.settings()
    assert settings.target == "sandbox"
    assert settings.speed == 8
    assert settings.application.image == "127.0.0.1:4/shop"
    assert settings.registry.password is not None
    assert settings.registry.password.ref().kind == "file"
    assert Path(settings.registry.password.ref().name).read_text() == "r-secret"
    assert "https://" not in (home / "overlay" / "tidegate.yaml").read_text()


def test_an_environment_keeps_its_thresholds_and_gets_the_regions(home: Path) -> None:
    overlay.write(home, addresses(home), SECRETS, {"DB_PASSWORD": "d-secret"})
    production = load.environment("production")
    assert list(production.regions) == ["us-east-1", "eu-west-1", "ca-1"]
    assert production.waves == (("us-east-1",), ("eu-west-1", "ca-1"))
    assert production.regions["ca-1"].namespace == "production-ca-1"
    assert production.replicas == 10
    assert Path(production.secrets["DB_PASSWORD"].name).read_text() == "d-secret"


def test_secrets_are_in_files_of_their_owner_only(home: Path) -> None:
    overlay.write(home, addresses(home), SECRETS, {"DB_PASSWORD": "d-secret"})
    for file in (home / "overlay").iterdir():
        written = file.read_text()
        assert not [secret for secret in SECRETS.values() if secret in written]
    modes = {path.stat().st_mode & 0o777 for path in (home / "sandbox" / "secrets").iterdir()}
    assert modes == {0o600}


def test_removed_the_checkout_decides_again(home: Path) -> None:
    overlay.write(home, addresses(home), SECRETS, {})
    overlay.remove(home)
    assert load.settings().target == "real"
    assert not (home / "sandbox" / "secrets").exists()
