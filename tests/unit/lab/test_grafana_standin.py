"""The lab's stand-in for Grafana: what it keeps, whom it lets in, and what it refuses to start with."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from components.values.documents import text
from tests.support.recorder import Sent, recorder
from tests.support.standin import ADMIN, Files, built, refusal, running

DATASOURCES = Path("provisioning/datasources/datasources.yaml")
HOME = Path("dashboards/stack-health.json")
MINE = {"dashboard": {"uid": "mine", "title": "Mine", "panels": []}, "overwrite": True}


@pytest.fixture(scope="session")
def binary() -> Path:
    return built()


@pytest.fixture
def files(binary: Path, tmp_path: Path) -> Files:
    prepared = Files(binary=binary, root=tmp_path)
    prepared.fill()
    return prepared


@pytest.fixture
def upstream() -> Iterator[tuple[str, list[Sent]]]:
    """A store that remembers the requests it got."""
    with recorder(b'{"status":"success"}') as found:
        yield found


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_it_serves_the_projects_provisioning_and_says_what_it_is(files: Files) -> None:
    with running(files) as server:
        health = httpx.get(f"{server.url}/api/health").json()
        assert health["database"] == "ok"
        assert httpx.get(f"{server.url}/healthz").raise_for_status().text == "Ok"
        with server.client() as admin:
            assert {source["uid"] for source in admin.get("/api/datasources").json()} == {
                "prometheus",
                "jaeger",
                "loki",
            }
            found = [board["uid"] for board in admin.get("/api/search", params={"type": "dash-db"}).json()]
            expected = {json.loads(path.read_text())["uid"] for path in files.dashboards.glob("*.json")}
            assert sorted(found) == sorted(expected)
            for uid in found:
                assert admin.get(f"/api/dashboards/uid/{uid}").json()["meta"]["provisioned"]
        assert "grafana_build_info{" in httpx.get(f"{server.url}/metrics").text
        status, output = server.stop()
    assert status == 0
    assert "stand-in for Grafana" in output


@pytest.mark.parametrize("login", [None, ("admin", "wrong"), ("nobody", ADMIN[1])])
def test_it_lets_nobody_in_without_the_password(files: Files, login: tuple[str, str] | None) -> None:
    with running(files) as server, server.client(login) as visitor:
        for path in ("/api/user", "/api/datasources", "/api/datasources/proxy/uid/loki/ready", "/api/other"):
            assert visitor.get(path).status_code == 401, path
        assert visitor.post("/api/user/signup", json={"email": "a@b.c"}).status_code == 401


def test_sessions_and_saved_dashboards_survive_a_restart(files: Files) -> None:
    with running(files) as server, server.client(None) as visitor:
        assert visitor.post("/login", json={"user": "admin", "password": "wrong"}).status_code == 401
        visitor.post("/login", json={"user": ADMIN[0], "password": ADMIN[1]}).raise_for_status()
        visitor.post("/api/dashboards/db", json=MINE).raise_for_status()
        cookies = dict(visitor.cookies)
        server.stop()
    with running(files) as server, httpx.Client(base_url=server.url, cookies=cookies) as visitor:
        assert visitor.get("/api/user").json()["login"] == "admin"
        assert visitor.get("/api/dashboards/uid/mine").json()["dashboard"]["title"] == "Mine"
    other_key = replace(files, environment={"GF_SECURITY_SECRET_KEY": "another"})
    with running(other_key) as server, httpx.Client(base_url=server.url, cookies=cookies) as visitor:
        assert visitor.get("/api/user").status_code == 401


def test_secrets_come_from_the_files_that_the_settings_name(files: Files, tmp_path: Path) -> None:
    told = from_files(files, tmp_path)
    with running(told) as server, server.client((ADMIN[0], "of the file")) as admin:
        assert admin.get("/api/user").status_code == 200
        reset = [str(files.binary), "cli", "admin", "reset-admin-password", "--password-from-stdin"]
        settings = ["--config", told.environment["GF_PATHS_CONFIG"]]
        done = subprocess.run(
            [*reset[:2], *settings, *reset[2:]], input="another one\n", env=told.env(0), text=True, check=True
        )
        assert done.returncode == 0
    with running(told) as server, server.client((ADMIN[0], "another one")) as admin:
        assert admin.get("/api/user").status_code == 200


def from_files(files: Files, folder: Path) -> Files:
    """Tell a server its secrets by the project's own file of settings alone."""
    for name in ("admin-password", "secret-key"):
        (folder / name).write_text("of the file\n")
    settings = folder / "grafana.ini"
    settings.write_text(text("grafana/grafana.ini").replace("/etc/grafana/secrets", str(folder)))
    variables = {"GF_SECURITY_ADMIN_PASSWORD": "", "GF_SECURITY_SECRET_KEY": ""}
    return replace(files, environment={**variables, "GF_PATHS_CONFIG": str(settings)})


def test_it_does_not_start_without_a_file_that_it_is_told_of(files: Files, tmp_path: Path) -> None:
    told = from_files(files, tmp_path)
    (tmp_path / "secret-key").unlink()
    assert "GF_SECURITY_SECRET_KEY: open " in refusal(told)
    (tmp_path / "grafana.ini").unlink()
    assert f'failed to parse "{tmp_path}/grafana.ini"' in refusal(told)


def test_the_admin_password_is_taken_at_the_first_start_only(files: Files) -> None:
    with running(files) as server:
        server.stop()
    later = replace(files, environment={"GF_SECURITY_ADMIN_PASSWORD": "second-password"})
    with running(later) as server:
        with server.client() as admin:
            assert admin.get("/api/user").status_code == 200
        reset = [str(files.binary), "cli", "admin", "reset-admin-password", "--password-from-stdin"]
        subprocess.run(reset, input="third-password\n", env=later.env(0), text=True, check=True)
        with server.client((ADMIN[0], "third-password")) as admin:
            assert admin.get("/api/user").status_code == 200


def test_a_provisioned_dashboard_is_not_overwritten(files: Files) -> None:
    with running(files) as server, server.client() as admin:
        board = admin.get("/api/dashboards/uid/stack-health").json()["dashboard"]
        answer = admin.post("/api/dashboards/db", json={"dashboard": board, "overwrite": True})
        assert answer.status_code == 400
        assert "provisioned" in answer.json()["message"]


def test_a_stale_copy_of_a_dashboard_is_not_saved(files: Files) -> None:
    with running(files) as server, server.client() as admin:
        admin.post("/api/dashboards/db", json=MINE).raise_for_status()
        stale = {"dashboard": {**MINE["dashboard"], "version": 0}, "overwrite": False}  # type: ignore[dict-item]
        assert admin.post("/api/dashboards/db", json=stale).status_code == 412
        assert admin.delete("/api/dashboards/uid/mine").status_code == 200
        assert admin.get("/api/dashboards/uid/mine").status_code == 404


def test_queries_reach_the_store_without_the_callers_credentials(
    files: Files, upstream: tuple[str, list[Sent]]
) -> None:
    address, seen = upstream
    secret = f"{address}\n    secureJsonData: {{httpHeaderValue1: acme}}"
    edit(files.root / DATASOURCES, "http://prometheus:9090", secret)
    named = "timeInterval: 15s\n      httpHeaderName1: X-Scope-OrgID"
    edit(files.root / DATASOURCES, "timeInterval: 15s", named)
    with running(files) as server, server.client() as admin:
        assert admin.get("/api/datasources/uid/prometheus/health").json()["status"] == "OK"
        proxy = "/api/datasources/proxy/uid/prometheus/api/v1/query"
        assert admin.get(proxy, params={"query": 'up{job="a/b"}'}).json() == {"status": "success"}
        assert admin.post(proxy, data={"query": "up"}).json() == {"status": "success"}
        missing = admin.get("/api/datasources/proxy/uid/nosuch/api/v1/query")
        assert missing.status_code == 404
    assert [request.path for request in seen[1:]] == [
        "/api/v1/query?query=up%7Bjob%3D%22a%2Fb%22%7D",
        "/api/v1/query",
    ]
    assert all("Authorization" not in request.headers for request in seen)
    assert {request.headers["X-Scope-OrgID"] for request in seen} == {"acme"}


def test_a_store_that_is_away_is_reported(files: Files) -> None:
    edit(files.root / DATASOURCES, "http://loki:3100", "http://127.0.0.1:1")
    with running(files) as server, server.client() as admin:
        health = admin.get("/api/datasources/uid/loki/health")
        assert (health.status_code, health.json()["status"]) == (400, "ERROR")
        assert admin.get("/api/datasources/proxy/uid/loki/ready").status_code == 502


def broken_yaml(folder: Path) -> None:
    (folder / DATASOURCES).write_text("apiVersion: 1\ndatasources: [")


def duplicate_datasource(folder: Path) -> None:
    shutil.copy(folder / DATASOURCES, folder / DATASOURCES.with_name("again.yaml"))


def unknown_key(folder: Path) -> None:
    edit(folder / DATASOURCES, "editable: false", "editabel: false")


def unknown_link(folder: Path) -> None:
    edit(folder / DATASOURCES, "datasourceUid: loki", "datasourceUid: tempo")


def single_dollar(folder: Path) -> None:
    edit(folder / DATASOURCES, "$${__value.raw}", "${__value.raw}")


def broken_json(folder: Path) -> None:
    (folder / HOME).write_text("{")


def duplicate_dashboard(folder: Path) -> None:
    shutil.copy(folder / HOME, folder / "dashboards" / "again.json")


def dashboard(folder: Path, **body: object) -> None:
    content = {"uid": "extra", "title": "Extra", **body}
    (folder / "dashboards" / "extra.json").write_text(json.dumps(content))


def unknown_panel_source(folder: Path) -> None:
    dashboard(folder, panels=[{"datasource": {"type": "tempo", "uid": "tempo"}}])


def wrong_panel_type(folder: Path) -> None:
    dashboard(folder, panels=[{"datasource": {"type": "loki", "uid": "prometheus"}}])


def unknown_dashboard_link(folder: Path) -> None:
    dashboard(folder, links=[{"url": "/d/nowhere/nowhere"}])


def no_title(folder: Path) -> None:
    dashboard(folder, title="")


def unknown_contact_point(root: Path) -> None:
    alerting = root / "provisioning" / "alerting"
    alerting.mkdir()
    policy = "policies: [{receiver: empty, routes: [{receiver: grafana-default-email}]}]"
    (alerting / "points.yaml").write_text(policy)


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (broken_yaml, "did not find expected node content"),
        (duplicate_datasource, 'uid "prometheus" is used twice'),
        (unknown_key, "field editabel not found"),
        (unknown_link, 'unknown data source uid "tempo"'),
        (single_dollar, "__value.raw, which is not set"),
        (broken_json, "stack-health.json: not a JSON object"),
        (duplicate_dashboard, "the same UID is used more than once"),
        (unknown_panel_source, 'names unknown data source "tempo"; known: prometheus, jaeger, loki'),
        (wrong_panel_type, 'is of type "prometheus", but a panel says "loki"'),
        (unknown_dashboard_link, 'links to unknown dashboard "nowhere"'),
        (no_title, "Dashboard title cannot be empty"),
        (unknown_contact_point, "receiver 'grafana-default-email' does not exist"),
    ],
)
def test_it_refuses_broken_provisioning(files: Files, break_it: Callable[[Path], None], said: str) -> None:
    break_it(files.root)
    assert said in refusal(files)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"GF_SECURITY_ADMIN_PASSWORD": ""}, "the admin password is missing"),
        ({"GF_SECURITY_ADMIN_PASSWORD": "admin"}, "public default"),
        ({"GF_SECURITY_ADMIN_PASSWORD__FILE": "/dev/null"}, "are set (but are exclusive)"),
        ({"GF_SECURITY_SECRET_KEY": ""}, "GF_SECURITY_SECRET_KEY is missing"),
        ({"GF_SECURITY_SECRET_KEY": "$__file{/dev/null}"}, "Grafana takes this text itself for its key"),
        ({"GF_USERS_ALLOW_SIGN_UP": "no"}, "is not a boolean; allowed: true, false"),
        ({"GF_AUTH_ANONYMOUS_ENABLED": "true"}, "GF_AUTH_ANONYMOUS_ENABLED"),
        ({"GF_DATABASE_TYPE": "mysql"}, "allowed: sqlite3, postgres"),
        (
            {"GF_DATABASE_PATH": "/nonexistent/grafana.db"},
            "database /nonexistent/grafana.db cannot be reached",
        ),
        (
            {
                "GF_DATABASE_TYPE": "postgres",
                "GF_DATABASE_HOST": "127.0.0.1:1",
                "GF_DATABASE_PASSWORD": "hidden",
            },
            "database postgres://127.0.0.1:1/grafana cannot be reached",
        ),
        ({"GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": "/nonexistent.json"}, "/nonexistent.json"),
    ],
)
def test_it_refuses_settings_that_cannot_work(files: Files, environment: dict[str, str], said: str) -> None:
    written = refusal(replace(files, environment=environment))
    assert said in written
    assert "hidden" not in written
