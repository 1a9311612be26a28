"""The lab's own logic; what it builds is proved by the tests that run on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from pulumi.runtime.proto import language_pb2
from typer.testing import CliRunner

from tests.lab import (
    __main__,
    cache,
    cluster_programs,
    collector,
    disk,
    disposal,
    gobuild,
    languagehost,
    maven,
    plan,
    plugins,
    programs,
    progress,
    store,
)
from tests.lab.errors import LabError


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    root = tmp_path / "cache"
    monkeypatch.setenv("OTEL_STACK_LAB_CACHE", str(root))
    return root


class TestGoModules:
    def test_replaces_that_name_a_version_are_repeated(self) -> None:
        go_mod = {
            "Replace": [
                {"Old": {"Path": "a.org/x"}, "New": {"Path": "b.org/x", "Version": "v1.2.3"}},
                {
                    "Old": {"Path": "a.org/y", "Version": "v0.1.0"},
                    "New": {"Path": "b.org/y", "Version": "v0.2.0"},
                },
                {"Old": {"Path": "a.org/local"}, "New": {"Path": "./pkg/local"}},
            ]
        }
        assert gobuild.inherited_replaces(go_mod) == {
            "a.org/x": "b.org/x@v1.2.3",
            "a.org/y@v0.1.0": "b.org/y@v0.2.0",
        }

    def test_modules_of_the_upstreams_own_tree_are_taken_from_the_registry(self) -> None:
        go_mod = {"Replace": [{"Old": {"Path": "k8s.io/api"}, "New": {"Path": "./staging/src/k8s.io/api"}}]}
        assert gobuild.inherited_replaces(go_mod, "v0.34.3") == {"k8s.io/api": "k8s.io/api@v0.34.3"}

    @pytest.mark.parametrize("go_mod", [{}, {"Replace": None}])
    def test_a_module_without_replaces(self, go_mod: dict[str, None]) -> None:
        assert gobuild.inherited_replaces(go_mod) == {}

    def test_checksums_stay_verified(self) -> None:
        keys = {"GOCACHE", "GOMODCACHE", "GOFLAGS", "GOGC", "GOWORK", "CGO_ENABLED"}
        assert set(gobuild.go_environment()) == keys

    def test_every_component_is_required_at_the_collectors_version(self) -> None:
        lines = collector.go_mod().splitlines()
        for modules in collector.COMPONENTS.values():
            for module in modules:
                assert f"\t{module} v{programs.COLLECTOR_VERSION}" in lines

    def test_the_manifest_names_what_go_mod_requires(self, tmp_path: Path) -> None:
        text = json.dumps(collector.manifest(tmp_path))
        required = [line.strip() for line in collector.go_mod().splitlines() if line.startswith("\t")]
        assert [line for line in required if line not in text] == [
            "go.opentelemetry.io/collector/otelcol v0.155.0"
        ]


class TestTableOfPrograms:
    def test_programs_around_kubernetes_are_made_of_the_same_versions(self) -> None:
        made = [
            cluster_programs.KUBERNETES,
            cluster_programs.METRICS_SERVER,
            cluster_programs.LOCAL_PATH_PROVISIONER,
            cluster_programs.KUBE_ROUTER,
        ]
        assert {program.module for program in made} == set(made[0].modules)
        for program in made:
            assert dict(program.modules) == dict(made[0].modules)
            assert (program.tree_version, program.replaces) == (made[0].tree_version, made[0].replaces)

    def test_other_modules_beside_make_another_program(self) -> None:
        alone = replace(cluster_programs.KUBE_ROUTER, alongside={})
        assert alone.recipe != cluster_programs.KUBE_ROUTER.recipe

    def test_every_program_has_a_place_of_its_own(self) -> None:
        names = [name for program in programs.GO_PROGRAMS for name in program.binaries]
        assert len({programs.binary_path(name) for name in names}) == len(names)

    def test_an_unknown_name_is_answered_with_the_known_ones(self) -> None:
        with pytest.raises(LabError, match=r"no program 'promtol'.*promtool"):
            cache.binary("promtol")

    def test_a_program_that_is_not_built_says_how_to_get_it(self) -> None:
        with pytest.raises(LabError, match=r"python -m tests\.lab prepare"):
            cache.binary("promtool")

    def test_another_version_or_replace_is_another_recipe(self) -> None:
        recipe = programs.LOKI.recipe
        assert replace(programs.LOKI, module_version="v3.7.9").recipe != recipe
        assert replace(programs.LOKI, replaces={"a": "b@v1.0.0"}).recipe != recipe
        assert replace(programs.LOKI, linker=("-checklinkname=0",)).recipe != recipe
        assert replace(programs.LOKI, tags=(programs.NO_DISCOVERY,)).recipe != recipe
        assert replace(programs.LOKI, disk_gb=9.0).recipe == recipe

    def test_kafka_has_its_tools_and_logging(self) -> None:
        namespace = {"m": "http://maven.apache.org/POM/4.0.0"}
        found = ET.fromstring(maven.pom()).findall(".//m:dependency/m:artifactId", namespace)  # noqa: S314 (our own)
        assert {item.text for item in found} >= {"kafka_2.13", "kafka-tools", "log4j-slf4j-impl"}


class TestDisk:
    def test_what_does_not_fit_is_told_part_by_part(self, tmp_path: Path) -> None:
        with pytest.raises(
            LabError, match=r"(?s)of disk are free.*loki: 1000000\.0 GB.*OTEL_STACK_LAB_CACHE"
        ):
            disk.require(tmp_path, {"loki": 1e6})

    def test_nothing_missing_needs_nothing(self, tmp_path: Path) -> None:
        disk.require(tmp_path, {})

    def test_caches_are_counted_once(self) -> None:
        needs = plan.disk_needs(plan.parts(2))
        assert max(needs.values()) == plan.MOST_SCRATCH_GB
        assert len(needs) == len(plan.parts(2)) + 1

    def test_every_missing_tool_is_named_before_the_first_step(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda tool: None if tool in {"go", "mvn"} else tool)
        with pytest.raises(LabError, match=r"(?s)go: for pulumi, .*mvn: for kafka"):
            plan.require_tools(plan.parts(2))

    def test_parts_of_two_kinds_are_made_side_by_side_each_once(self) -> None:
        built, fetched = plan.lanes(plan.parts(4))
        assert {id_of(part) for part in plan.parts(4)} == {id_of(part) for part in (*built, *fetched)}
        assert all("go" in part.tools for part in built)
        assert not any("go" in part.tools for part in fetched)

    def test_what_fails_in_one_kind_ends_the_other_and_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[str] = []
        failed = threading.Event()

        def fail() -> None:
            failed.set()
            raise LabError("no such package")

        def wait() -> None:
            assert failed.wait(10)
            time.sleep(0.1)

        parts = [
            part_of("slow", ("go",), wait),
            part_of("never", ("go",), lambda: made.append("never")),
            part_of("absent", ("apt-get",), fail),
        ]
        monkeypatch.setattr(plan, "parts", lambda _: parts)
        monkeypatch.setattr(shutil, "which", lambda tool: tool)
        result = CliRunner().invoke(__main__.app, ["prepare"])
        assert result.exit_code != 0
        assert "no such package" in result.output
        assert not made

    def test_a_phase_needs_no_part_of_a_later_one(self) -> None:
        assert "kafka" not in {part.name for part in plan.parts(1)}


def id_of(part: plan.Part) -> tuple[str, str]:
    return part.name, part.version


def part_of(name: str, tools: tuple[str, ...], make: Callable[[], None]) -> plan.Part:
    """A part that is missing."""
    return plan.Part(
        name=name, version="1", phase=1, is_there=lambda: False, make=make, tools=tools, disk_gb=0.0
    )


class TestStore:
    def test_a_part_is_there_only_when_it_is_whole_and_of_this_recipe(self, empty_cache: Path) -> None:
        target = empty_cache / "part"
        store.fill(target, "recipe 1", _writes("1"))
        assert store.is_done(target, "recipe 1")
        assert not store.is_done(target, "recipe 2")

    def test_an_interruption_keeps_the_old_part(self, empty_cache: Path) -> None:
        target = empty_cache / "part"
        store.fill(target, "old", _writes("old"))

        def interrupted(out: Path) -> None:
            (out / "file").write_text("half of the new")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store.fill(target, "new", interrupted)
        assert (target / "file").read_text() == "old"
        store.fill(target, "new", _writes("new"))
        assert (target / "file").read_text() == "new"

    def test_read_only_folders_can_be_deleted(self, empty_cache: Path) -> None:
        folder = empty_cache / "mod" / "module@v1"
        folder.mkdir(parents=True)
        (folder / "file.go").write_text("")
        folder.chmod(0o555)
        store.remove(empty_cache / "mod")
        assert not (empty_cache / "mod").exists()

    def test_what_is_thrown_away_is_out_of_the_way_at_once(self, empty_cache: Path) -> None:
        left_by_an_interrupted_run = empty_cache / "trash" / "0"
        for folder in (left_by_an_interrupted_run, empty_cache / "go", empty_cache / "build"):
            folder.mkdir(parents=True)
            (folder / "file").write_text("")
        disposal.start(empty_cache / "go", empty_cache / "build", empty_cache / "never-made")
        assert not (empty_cache / "go").exists()
        assert not (empty_cache / "build").exists()
        disposal.wait()
        assert not (empty_cache / "trash").exists()

    def test_what_another_run_is_deleting_is_left_to_it(self, empty_cache: Path) -> None:
        (empty_cache / "go").mkdir(parents=True)
        with store.alone("trash") as alone:
            assert alone
            disposal.start(empty_cache / "go")
            disposal.wait()
            assert (empty_cache / "trash" / "0").exists()
        disposal.start()
        disposal.wait()
        assert not (empty_cache / "trash").exists()

    def test_a_second_run_waits_for_the_first(self) -> None:
        said, entered = threading.Event(), threading.Event()

        def second() -> None:
            with store.lock(said.set):
                entered.set()

        with store.lock(lambda: pytest.fail("nobody else holds the lock")):
            thread = threading.Thread(target=second)
            thread.start()
            assert said.wait(10), "the second run says that it waits"
            assert not entered.is_set()
        thread.join(10)
        assert entered.is_set()


class TestProgress:
    def test_a_failure_shows_the_command_the_end_of_its_output_and_the_log(self, tmp_path: Path) -> None:
        log = tmp_path / "step.log"
        with pytest.raises(LabError) as caught:
            progress.run([sys.executable, "-c", "print('the reason'); raise SystemExit(3)"], log)
        assert "exit status 3" in str(caught.value)
        assert "the reason" in str(caught.value)
        assert str(log) in str(caught.value)

    def test_a_tool_that_is_not_installed_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(LabError, match="no-such-tool is not installed"):
            progress.run(["no-such-tool", "--version"], tmp_path / "log")

    def test_long_work_is_told_from_a_hang(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        said = threading.Event()
        monkeypatch.setattr(progress, "HEARTBEAT_SECONDS", 0.01)

        def detail() -> str:
            said.set()
            return "(42 GB free)"

        with progress.step("long work", detail):
            assert said.wait(10), "the heartbeat asks for a detail"
        assert "long work: done in" in capsys.readouterr().out


class TestPlugins:
    def test_the_labs_folder_comes_first_and_once(self) -> None:
        _prepared()
        first = str(plugins.folder())
        path = plugins.environment(f"/usr/bin:{first}:/bin")["PATH"]
        assert path == f"{first}:/usr/bin:/bin"

    def test_a_lab_that_is_not_prepared_has_no_environment(self) -> None:
        result = CliRunner().invoke(__main__.app, ["env"])
        assert result.exit_code == 1
        assert "python -m tests.lab prepare" in result.output

    def test_env_is_json(self) -> None:
        _prepared()
        result = CliRunner().invoke(__main__.app, ["env"])
        assert json.loads(result.output)["OTEL_STACK_ROOT"] == str(plugins.CHECKOUT)

    def test_launchers_run_the_checkout_that_the_environment_names(self) -> None:
        _prepared()
        launcher = plugins.folder() / "pulumi-language-python"
        environment = {name: value for name, value in os.environ.items() if name != "OTEL_STACK_ROOT"}
        refused = subprocess.run([launcher], env=environment, capture_output=True, text=True, check=False)
        assert refused.returncode != 0
        assert "python -m tests.lab env" in refused.stderr
        assert {f"pulumi-resource-{name}" for name in ("aws", "docker", "kubernetes", "random")} <= set(
            plugins.modules()
        )


class TestLanguageHost:
    def test_the_projects_virtual_environment_is_used(self, tmp_path: Path) -> None:
        python = tmp_path / "env" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.touch()
        info = language_pb2.ProgramInfo(root_directory=str(tmp_path))
        info.options.update({"virtualenv": "env"})
        assert languagehost.interpreter(info) == python

    def test_without_one_it_is_the_hosts_own(self, tmp_path: Path) -> None:
        info = language_pb2.ProgramInfo(root_directory=str(tmp_path))
        assert languagehost.interpreter(info) == Path(sys.executable)

    def test_a_missing_one_is_named(self, tmp_path: Path) -> None:
        info = language_pb2.ProgramInfo(root_directory=str(tmp_path))
        info.options.update({"virtualenv": ".venv"})
        with pytest.raises(FileNotFoundError, match="make venv"):
            languagehost.interpreter(info)


def _prepared() -> None:
    cli = programs.binary_path("pulumi")
    cli.parent.mkdir(parents=True)
    cli.touch()
    plugins.install()


def _writes(text: str) -> Callable[[Path], None]:
    def make(out: Path) -> None:
        (out / "file").write_text(text)

    return make
