"""What is read of a kubeconfig, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from clients import kubeconfig
from release.errors import Refused


def write(path: Path, cluster: dict[str, str], user: dict[str, str]) -> Path:
    whole = {"clusters": [{"name": "c", "cluster": cluster}], "users": [{"name": "u", "user": user}]}
    path.write_text(yaml.safe_dump(whole))
    return path


def test_files_that_it_names_are_beside_it(tmp_path: Path) -> None:
    path = write(tmp_path / "config", {"certificate-authority": "ca.crt"}, {"client-key": "/k.pem", "token": "t"})
    found = kubeconfig.read(path)
    assert found["clusters"][0]["cluster"] == {"certificate-authority": str(tmp_path / "ca.crt")}
    assert found["users"][0]["user"] == {"client-key": "/k.pem", "token": "t"}


def test_a_change_of_the_file_is_seen_and_one_of_the_caller_is_not(tmp_path: Path) -> None:
    path = write(tmp_path / "config", {"server": "https://one"}, {})
    kubeconfig.read(path)["clusters"].clear()
    assert kubeconfig.read(path)["clusters"][0]["cluster"]["server"] == "https://one"
    write(path, {"server": "https://two"}, {})
    assert kubeconfig.read(path)["clusters"][0]["cluster"]["server"] == "https://two"


@pytest.mark.parametrize("text", ["- no\n- mapping\n", "a: [", "\x00"])
def test_what_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(Refused, match=str(path)):
        kubeconfig.read(path)
