"""Where the engine's state is kept."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from ops.errors import OpsError
from ops.pulumi.state import forget_stack, prepare_state
from tests.support.ops import PROJECT, checkout


def environ_of(folder: Path, **others: str) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(folder / "state"), **others}


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_state_is_local_private_and_outside_the_checkout(tmp_path: Path) -> None:
    stack = checkout(tmp_path / "clone")
    state = prepare_state(stack, environ_of(tmp_path))
    home = tmp_path / "state" / "otel-stack"
    assert state.home == home
    assert state.environment == {
        "PULUMI_BACKEND_URL": (home / "backend").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(home / "passphrase"),
    }
    assert mode_of(home) == mode_of(home / "backend") == 0o700
    assert mode_of(home / "passphrase") == 0o600
    assert len((home / "passphrase").read_text()) >= 43
    assert state.config_file is not None
    assert mode_of(state.config_file) == 0o600


def test_passphrase_is_made_once_and_tightened_again(tmp_path: Path) -> None:
    stack, environ = checkout(tmp_path / "clone"), environ_of(tmp_path)
    prepare_state(stack, environ)
    path = tmp_path / "state" / "otel-stack" / "passphrase"
    made = path.read_text()
    path.chmod(0o644)
    prepare_state(stack, environ)
    assert path.read_text() == made
    assert mode_of(path) == 0o600
    assert [file.name for file in path.parent.iterdir() if file.is_file()] == ["passphrase"]


def test_a_power_cut_leaves_the_whole_passphrase_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state" / "otel-stack" / "passphrase"
    on_disk: list[tuple[str, bool]] = []

    def fsync(descriptor: int) -> None:
        on_disk.append((Path(f"/proc/self/fd/{descriptor}").read_text(), path.exists()))

    monkeypatch.setattr("os.fsync", fsync)
    prepare_state(checkout(tmp_path / "clone"), environ_of(tmp_path))
    assert on_disk[0] == (path.read_text(), False)


def test_lost_passphrase_is_not_replaced_while_secrets_are_locked_with_it(tmp_path: Path) -> None:
    stack, environ = checkout(tmp_path / "clone"), environ_of(tmp_path)
    state = prepare_state(stack, environ)
    passphrase = tmp_path / "state" / "otel-stack" / "passphrase"
    passphrase.unlink()
    prepare_state(stack, environ)
    assert state.config_file is not None
    with state.config_file.open("a") as file:
        file.write("encryptionsalt: v1:x\n")
    passphrase.unlink()
    with pytest.raises(OpsError, match=r"is gone, but the secrets of dev are locked"):
        prepare_state(stack, environ)
    assert not passphrase.exists()


def test_salt_stays_with_the_state_and_settings_follow_the_checkout(tmp_path: Path) -> None:
    environ = environ_of(tmp_path)
    first = prepare_state(checkout(tmp_path / "old"), environ)
    assert first.config_file is not None
    with first.config_file.open("a") as file:
        file.write("encryptionsalt: v1:written-by-the-engine\n")
    clone = checkout(tmp_path / "new", stack="# why\nconfig:\n  otel-stack:environment: qa")
    second = prepare_state(clone, environ)
    assert second.config_file == first.config_file
    assert yaml.safe_load(first.config_file.read_text()) == {
        "config": {"otel-stack:environment": "qa"},
        "encryptionsalt": "v1:written-by-the-engine",
    }
    assert "encryptionsalt" not in clone.file.read_text()
    assert (first.config_file.parent / "Pulumi.yaml").read_text() == PROJECT


@pytest.mark.parametrize("variable", ["PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN"])
def test_users_own_backend_is_left_alone(tmp_path: Path, variable: str) -> None:
    state = prepare_state(checkout(tmp_path / "clone"), environ_of(tmp_path, **{variable: "theirs"}))
    assert (state.environment, state.config_file, state.home) == ({}, None, None)
    assert state.config_arguments() == []
    assert not (tmp_path / "state").exists()


def test_backend_of_the_project_file_is_left_alone(tmp_path: Path) -> None:
    stack = checkout(tmp_path / "clone", project=f"{PROJECT}backend:\n  url: s3://state\n")
    assert prepare_state(stack, environ_of(tmp_path)).home is None


@pytest.mark.parametrize("variable", ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"])
def test_users_own_passphrase_is_used(tmp_path: Path, variable: str) -> None:
    state = prepare_state(checkout(tmp_path / "clone"), environ_of(tmp_path, **{variable: ""}))
    assert set(state.environment) == {"PULUMI_BACKEND_URL"}
    assert not (tmp_path / "state" / "otel-stack" / "passphrase").exists()


def test_committed_salt_makes_the_committed_file_count(tmp_path: Path) -> None:
    stack = checkout(tmp_path / "clone", stack="encryptionsalt: v1:x\nconfig: {}\n")
    assert prepare_state(stack, environ_of(tmp_path)).config_file is None


def test_state_inside_the_checkout_is_refused(tmp_path: Path) -> None:
    stack = checkout(tmp_path)
    with pytest.raises(OpsError, match="inside the checkout"):
        prepare_state(stack, {"XDG_STATE_HOME": str(tmp_path / "state")})


def test_unwritable_place_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OpsError, match="cannot keep state"):
        prepare_state(checkout(tmp_path / "clone"), {"XDG_STATE_HOME": str(tmp_path / "file")})


def test_forgetting_a_stack_keeps_the_others(tmp_path: Path) -> None:
    environ = environ_of(tmp_path)
    dev, qa = checkout(tmp_path / "clone"), checkout(tmp_path / "clone", name="qa")
    state = prepare_state(dev, environ)
    other = prepare_state(qa, environ)
    forget_stack(dev, state)
    assert state.config_file is not None
    assert other.config_file is not None
    assert not state.config_file.exists()
    assert other.config_file.exists()
