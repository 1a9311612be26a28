"""Previews where no credentials for AWS are to be found, and how that is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.buckets.aws import NO_KEY, PREVIEWED_WITHOUT
from components.buckets.credentials import FILES, VARIABLES, credentials_findable
from tests.support.object_storage import AWS, StorageRun

KEYS = "[default]\naws_access_key_id = x\naws_secret_access_key = x\n"
SKIPS = ("skipCredentialsValidation", "skipRequestingAccountId", "skipMetadataApiCheck")


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_that_names_credentials_counts_unless_it_is_empty(tmp_path: Path, variable: str) -> None:
    nothing = {"HOME": str(tmp_path), "AWS_REGION": "eu-central-1", variable: ""}
    assert not credentials_findable(nothing, tmp_path)
    assert credentials_findable({**nothing, variable: "x"}, tmp_path)


@pytest.mark.parametrize(("variable", "name"), FILES.items())
def test_a_file_of_awss_tools_counts_where_it_is_or_is_said_to_be(
    tmp_path: Path, variable: str, name: str
) -> None:
    home = {"HOME": str(tmp_path)}
    elsewhere = {**home, variable: str(tmp_path / "there")}
    assert not credentials_findable(elsewhere, tmp_path)
    (tmp_path / "there").write_text(KEYS)
    assert credentials_findable(elsewhere, tmp_path)
    (tmp_path / ".aws").mkdir()
    assert not credentials_findable(home, tmp_path)
    (tmp_path / ".aws" / name).write_text(KEYS)
    assert credentials_findable(home, tmp_path)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("region = eu-central-1", False),
        ("output=json", False),
        ("# aws_access_key_id = x", False),
        ("aws_access_key_id = x", True),
        ("sso_session = work", True),
        ("  role_arn=arn:aws:iam::123456789012:role/x", True),
        ("credential_process = /opt/keys", True),
    ],
)
def test_a_file_counts_only_if_it_says_where_credentials_come_from(
    tmp_path: Path, line: str, found: bool
) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(f"[default]\n{line}\n")
    assert credentials_findable({"HOME": str(tmp_path)}, tmp_path) == found


@pytest.mark.parametrize(
    ("disabled", "file", "text", "found"),
    [
        ("", "sys_vendor", "Amazon EC2\n", True),
        ("", "bios_version", "4.11.amazon\n", True),
        ("", "sys_vendor", "QEMU\n", False),
        ("true", "sys_vendor", "Amazon EC2\n", False),
        ("false", "sys_vendor", "QEMU\n", True),
    ],
)
def test_an_instance_is_taken_to_have_a_role(
    tmp_path: Path, disabled: str, file: str, text: str, found: bool
) -> None:
    (tmp_path / file).write_text(text)
    surroundings = {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": disabled}
    assert credentials_findable(surroundings, tmp_path) == found


def provider(monkeypatch: pytest.MonkeyPatch, *, findable: bool, preview: bool) -> tuple[dict[str, Any], str]:
    """Give the inputs of the provider for AWS, and what is told."""
    told: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", told.append)
    monkeypatch.setattr("components.buckets.aws.credentials_findable", lambda _: findable)
    (made,) = StorageRun(AWS, preview=preview).of("aws").values()
    return dict(made.inputs), "".join(told)


def test_a_preview_without_credentials_asks_nobody_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, told = provider(monkeypatch, findable=False, preview=True)
    assert [inputs[key]["value"] for key in ("accessKey", "secretKey")] == [NO_KEY, NO_KEY]
    assert {str(inputs[skip]).lower() for skip in SKIPS} == {"true"}
    assert told == PREVIEWED_WITHOUT
    assert "\n" not in told


@pytest.mark.parametrize(("findable", "preview"), [(True, True), (True, False), (False, False)])
def test_the_provider_is_otherwise_the_same_in_a_preview_and_in_an_update(
    monkeypatch: pytest.MonkeyPatch, findable: bool, preview: bool
) -> None:
    """An update without credentials is refused by the plugin: a key that is none would reach AWS."""
    inputs, told = provider(monkeypatch, findable=findable, preview=preview)
    assert not {"accessKey", "secretKey"} & inputs.keys()
    assert {str(inputs[skip]).lower() for skip in SKIPS} == {"false"}
    assert told == ""
