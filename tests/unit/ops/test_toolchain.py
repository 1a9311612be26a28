"""Official parts or the lab, and what is installed when."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import httpx
import pytest
from pulumi.automation import PulumiCommand

from ops.docker.engine import Engine
from ops.errors import OpsError
from ops.pulumi import toolchain
from ops.pulumi.installed import Cli, Plugin, find_cli, install_folder, installed_plugins, needed_plugins
from ops.pulumi.toolchain import Choice, at_hand, choose, lab_environment, provide, provide_engine

IMAGE = "grafana/loki:3.7.8"
DOCKER = Plugin(name="docker", version="5.2.0")
RANDOM = Plugin(name="random", version="4.21.4")


def program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def install(
    folder: Path, version: str = "v3.272.0", plugins: Sequence[Plugin] = (), *, host: bool = True
) -> Path:
    listed = json.dumps([{"name": one.name, "kind": "resource", "version": one.version} for one in plugins])
    path = program(folder, "pulumi", f"case $1 in version) echo {version};; plugin) echo '{listed}';; esac")
    if host:
        program(folder, "pulumi-language-python", "true")
    return path


def environ_of(folder: Path, **others: str) -> dict[str, str]:
    return {"PATH": f"{folder}/path:/usr/bin:/bin", "PULUMI_HOME": f"{folder}/home", **others}


def engine(missing: Sequence[str], problem: str) -> Engine:
    """An engine that lacks images, and whose registry has a problem."""

    class Fake(Engine):
        def missing_images(self, references: Iterable[str]) -> list[str]:
            return [one for one in references if one in missing]

        def registry_problem(self, reference: str) -> str:
            assert reference in missing
            return problem

    client: Any = None
    return Fake(client=client, host="", version="", memory=0, data_root="", mine=True)


@pytest.fixture(autouse=True)
def _plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "needed_plugins", lambda: [DOCKER, RANDOM])


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "downloads_problem", lambda: "no route")


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "downloads_problem", lambda: "")


@pytest.mark.usefixtures("offline")
def test_everything_there_needs_no_network(tmp_path: Path) -> None:
    path = install(tmp_path / "path", plugins=[DOCKER, RANDOM])
    choice = choose(engine([], "unreachable"), [IMAGE], environ_of(tmp_path))
    assert not choice.lab
    assert choice.cli == Cli(path=path, version=(3, 272, 0))
    assert choice.plugins == ()


@pytest.mark.usefixtures("online")
def test_missing_plugins_are_downloaded(tmp_path: Path) -> None:
    install(tmp_path / "path", plugins=[RANDOM])
    choice = choose(None, (), environ_of(tmp_path))
    assert (choice.lab, choice.plugins) == (False, (DOCKER,))
    assert "docker 5.2.0" in choice.reason


@pytest.mark.usefixtures("online")
def test_missing_cli_is_downloaded(tmp_path: Path) -> None:
    choice = choose(None, (), environ_of(tmp_path))
    assert (choice.lab, choice.cli, choice.plugins) == (False, None, (DOCKER, RANDOM))


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("version", ["v3.229.9", "v2.99.0", "nonsense"])
def test_closed_network_or_old_cli_leads_to_the_lab(tmp_path: Path, version: str) -> None:
    install(tmp_path / "path", version=version, plugins=[DOCKER, RANDOM])
    choice = choose(None, (), environ_of(tmp_path))
    assert choice.lab
    assert "no route" in choice.reason


@pytest.mark.usefixtures("offline")
def test_cli_without_its_language_host_does_not_count(tmp_path: Path) -> None:
    install(tmp_path / "path", plugins=[DOCKER, RANDOM], host=False)
    assert choose(None, (), environ_of(tmp_path)).lab


@pytest.mark.usefixtures("online")
def test_unreachable_registry_leads_to_the_lab_only_for_missing_images(tmp_path: Path) -> None:
    install(tmp_path / "path", plugins=[DOCKER, RANDOM])
    environ = environ_of(tmp_path)
    assert choose(engine([IMAGE], "dial tcp: no such host"), [IMAGE], environ).lab
    assert not choose(engine([], "dial tcp: no such host"), [IMAGE], environ).lab
    assert not choose(engine([IMAGE], ""), [IMAGE], environ).lab


@pytest.mark.usefixtures("online")
def test_lab_can_be_demanded(tmp_path: Path) -> None:
    install(tmp_path / "path", plugins=[DOCKER, RANDOM])
    assert choose(None, (), environ_of(tmp_path, OTEL_STACK_LAB="always")).lab


@pytest.mark.usefixtures("offline")
def test_lab_can_be_ruled_out(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="no route") as caught:
        choose(None, (), environ_of(tmp_path, OTEL_STACK_LAB="never"))
    assert "HTTPS_PROXY" in caught.value.advice


def test_mistyped_switch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="OTEL_STACK_LAB=no") as caught:
        choose(None, (), environ_of(tmp_path, OTEL_STACK_LAB="no"))
    assert "always, never" in caught.value.advice


def test_cli_is_also_found_where_its_installers_put_it(tmp_path: Path) -> None:
    environ = environ_of(tmp_path)
    assert find_cli(environ) is None
    kept = install(install_folder(environ) / "bin")
    assert find_cli(environ) == Cli(path=kept, version=(3, 272, 0))
    users = install(tmp_path / "home" / "bin", version="v3.300.1")
    found = find_cli(environ)
    assert found is not None
    assert found.path == users
    assert found.environment({"PATH": "/bin"}) == {"PATH": f"{users.parent}{os.pathsep}/bin"}


def test_installed_plugins_are_those_that_the_cli_lists(tmp_path: Path) -> None:
    install(tmp_path / "path", plugins=[DOCKER])
    cli = find_cli(environ_of(tmp_path))
    assert cli is not None
    assert installed_plugins(cli, environ_of(tmp_path)) == {DOCKER}


def test_needed_plugins_are_those_of_the_installed_packages() -> None:
    needed = {plugin.name: plugin.version for plugin in needed_plugins()}
    assert {"docker", "random", "kubernetes", "aws"} <= set(needed)
    assert needed["docker"] == installed_version("pulumi-docker")


def test_missing_plugins_are_installed_in_the_exact_version(tmp_path: Path) -> None:
    path = program(tmp_path / "path", "pulumi", f'echo "$*" >> {tmp_path}/log')
    cli = Cli(path=path, version=(3, 272, 0))
    added = provide(Choice(lab=False, reason="", cli=cli, plugins=(DOCKER,)), environ=environ_of(tmp_path))
    assert added["PATH"].startswith(str(path.parent))
    assert (tmp_path / "log").read_text() == "plugin install resource docker v5.2.0\n"


def test_plugin_that_cannot_be_installed_is_told_in_words(tmp_path: Path) -> None:
    cli = Cli(path=program(tmp_path / "path", "pulumi", "exit 1"), version=(3, 272, 0))
    with pytest.raises(OpsError, match=r"plugin docker 5.2.0 could not be installed") as caught:
        provide(Choice(lab=False, reason="", cli=cli, plugins=(DOCKER,)), environ=environ_of(tmp_path))
    assert "OTEL_STACK_LAB=always" in caught.value.advice


def test_missing_cli_is_installed_into_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(root: str) -> None:
        install(Path(root) / "bin")

    monkeypatch.setattr(PulumiCommand, "install", download)
    added = provide(Choice(lab=False, reason=""), environ=environ_of(tmp_path))
    assert added["PATH"].startswith(f"{tmp_path}/home/versions/")


def test_cli_that_cannot_be_installed_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(**_options: object) -> None:
        raise subprocess.CalledProcessError(1, ["install.sh"], output=b"disk quota exceeded")

    monkeypatch.setattr(PulumiCommand, "install", download)
    with pytest.raises(OpsError, match="disk quota exceeded"):
        provide(Choice(lab=False, reason=""), environ=environ_of(tmp_path))


def lab_of(folder: Path, body: str) -> Path:
    package = folder / "tests" / "lab"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text(f"import json, os, sys\n{body}\n")
    return folder


def test_lab_is_prepared_for_the_stacks_phase(tmp_path: Path) -> None:
    root = lab_of(
        tmp_path,
        'open("log", "a").write(" ".join(sys.argv[1:]) + f" at {os.environ.get(\'DOCKER_HOST\')}\\n")\n'
        'if sys.argv[1] == "env": print(json.dumps({"PATH": "/lab/path"}))',
    )
    lab, environ = Choice(lab=True, reason=""), environ_of(tmp_path, DOCKER_HOST="unix:///not-the-stacks")
    assert provide(lab, phase=1, environ=environ, root=root) == {"PATH": "/lab/path"}
    provide(lab, docker_host="unix:///mine", environ=environ, root=root)
    assert (root / "log").read_text().splitlines()[::2] == [
        "prepare --phase 1 at None",
        "prepare at unix:///mine",
    ]


def test_lab_that_is_prepared_is_taken_as_it_is_where_no_images_are_needed(tmp_path: Path) -> None:
    lab, environ = Choice(lab=True, reason=""), environ_of(tmp_path)
    body = 'open("log", "a").write(sys.argv[1]); {env}'
    ready = lab_of(tmp_path / "ready", body.format(env='print(json.dumps({"PATH": "/lab/path"}))'))
    found = provide_engine(lab, phase=1, docker_host="unix:///gone", environ=environ, root=ready)
    assert found == {"PATH": "/lab/path"}
    assert (ready / "log").read_text() == "env"
    fresh = lab_of(tmp_path / "fresh", body.format(env="sys.exit(1)"))
    with pytest.raises(OpsError, match="could not be prepared"):
        provide_engine(lab, phase=1, docker_host="unix:///gone", environ=environ, root=fresh)
    assert (fresh / "log").read_text() == "envprepare"


def test_lab_that_cannot_be_prepared_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="could not be prepared"):
        provide(Choice(lab=True, reason=""), root=lab_of(tmp_path, "sys.exit(1)"))


@pytest.mark.parametrize("body", ["sys.exit('not prepared')", "print('[]')", "print('no json')"])
def test_lab_that_is_not_prepared_says_what_to_run(tmp_path: Path, body: str) -> None:
    with pytest.raises(OpsError, match="lab is not prepared") as caught:
        lab_environment(lab_of(tmp_path, body))
    assert (caught.value.advice, caught.value.status) == ("run: make up", 2)


def test_reading_commands_take_the_official_cli_or_else_the_lab(tmp_path: Path) -> None:
    root = lab_of(tmp_path / "clone", 'print(json.dumps({"PATH": "/lab/path"}))')
    environ = environ_of(tmp_path)
    assert at_hand(environ, root) == {"PATH": "/lab/path"}
    install(tmp_path / "path")
    assert at_hand(environ, root)["PATH"].startswith(f"{tmp_path}/path")
    assert at_hand({**environ, "OTEL_STACK_LAB": "always"}, root) == {"PATH": "/lab/path"}


def test_reading_commands_without_cli_and_lab(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="no Pulumi CLI"):
        at_hand(environ_of(tmp_path, OTEL_STACK_LAB="never"), tmp_path)


@pytest.mark.parametrize(
    ("answer", "problem"), [(200, ""), (302, ""), (403, "HTTP 403"), (None, "no route to host")]
)
def test_downloads_are_probed(monkeypatch: pytest.MonkeyPatch, answer: int | None, problem: str) -> None:
    def head(url: str, **options: object) -> httpx.Response:
        assert options["timeout"] == toolchain.PROBE_SECONDS
        if answer is None:
            raise httpx.ConnectError("no route to host")
        return httpx.Response(answer, request=httpx.Request("HEAD", url))

    monkeypatch.setattr(httpx, "head", head)
    assert toolchain.downloads_problem() == problem
