"""Bring a stack up and down, and show what would change."""

from __future__ import annotations

from rich.text import Text

from ops.checks import (
    Finding,
    check_disk,
    check_engine,
    check_memory,
    check_ports,
    check_python,
    own_containers,
)
from ops.docker_engine import Engine, connect
from ops.errors import OpsError
from ops.images import image_references
from ops.outputs import StackOutputs
from ops.project import DEFAULT_DOCKER_HOST, Stack, load_stack
from ops.screen import MARKS, err, heading, out, say, table
from ops.session import Session, bind, working
from ops.state import forget_stack
from ops.toolchain import Choice, choose, provide


def doctor(name: str) -> None:
    """Check everything that ``up`` needs, change nothing.

    Raises:
        OpsError: something would make ``up`` fail.
    """
    stack = load_stack(name)
    engine, findings = _examine(stack)
    findings.append(_toolchain_finding(choose(engine, image_references(stack.settings))))
    _report(findings)


def prepare(name: str) -> None:
    """Install the engine, or prepare the lab on a closed network; deploy nothing.

    Raises:
        OpsError: the parts are not to be had.
    """
    stack = load_stack(name)
    choice = choose(_engine_if_any(stack), image_references(stack.settings))
    say(f"Pulumi: {_toolchain_finding(choice).found}")
    provide(choice, docker_host=stack.docker_host)


def up(name: str) -> Session:
    """Check, get the engine, and bring the stack up; repeating it is safe.

    Raises:
        OpsError: a check or the engine failed.
    """
    stack = load_stack(name)
    heading("Checks")
    engine, findings = _examine(stack)
    choice = choose(engine, image_references(stack.settings))
    findings.append(_toolchain_finding(choice))
    docker_can_come = choice.lab and engine is None and stack.docker_host == DEFAULT_DOCKER_HOST
    _report([finding for finding in findings if not (docker_can_come and finding.name == "Docker Engine")])
    heading("Engine")
    toolchain = provide(choice, phase=stack.settings.phase, docker_host=stack.docker_host)
    if engine is None:
        _report(_engine_findings(stack, connect(stack.docker_host)))
    session = bind(stack, toolchain)
    session.pulumi.make()
    heading(f"Stack {name}")
    session.pulumi.run("up", "--yes", config=True)
    return session


def preview(name: str) -> None:
    """Show what ``up`` would change.

    Raises:
        OpsError: the engine failed.
    """
    session = working(name)
    session.pulumi.make()
    session.pulumi.run("preview", "--diff", config=True)


def down(name: str) -> None:
    """Remove everything but the data; the next ``up`` finds it again.

    Raises:
        OpsError: the engine failed.
    """
    session = _existing(name)
    inventory = session.inventory()
    excluded = [f"--exclude={urn}" for urn in inventory.kept_urns]
    session.pulumi.run("destroy", "--yes", *excluded, config=True)
    say(f"The data is kept, in the volumes {', '.join(inventory.data_volumes)}; make up finds it again.")


def destroy(name: str) -> None:
    """Remove everything, data and the stack's state included.

    Raises:
        OpsError: the engine failed.
    """
    session = _existing(name)
    session.pulumi.run("destroy", "--yes", config=True)
    session.pulumi.answer("stack", "rm", "--yes", "--preserve-config")
    forget_stack(session.stack, session.state)
    say(f"The stack {name} is gone, and its data with it.")


def show_outputs(outputs: StackOutputs) -> None:
    """Print a stack's outputs as a table."""
    rows = [(key, str(value)) for key, value in sorted(outputs.values.items())]
    out.print(table(("output", "value"), rows))


def show_next_steps(outputs: StackOutputs) -> None:
    """Print where things are and what to type next."""
    login = f"user {outputs.text('grafana_admin_user')}, password: make password"
    rows = [
        ("send OTLP over gRPC to", outputs.text("otlp_grpc_endpoint")),
        ("send OTLP over HTTP to", outputs.text("otlp_http_endpoint")),
        (
            "Grafana",
            f"{outputs.text('grafana_url')}  ({login})",
        ),
        ("traces", outputs.text("traces_ui_url")),
        ("metrics", outputs.text("metrics_query_url")),
        ("logs", outputs.text("logs_query_url")),
    ]
    out.print(table(("", ""), rows))
    out.print("\nPoint an application at it:\n")
    out.print(Text(outputs.text("sdk_environment")))
    out.print(
        "\nNext: make health, make password, make preview; make down keeps the data, make help lists all."
    )


def _existing(name: str) -> Session:
    session = working(name)
    if not session.pulumi.exists():
        raise OpsError(f"the stack {name} is not up: there is nothing to remove", status=2)
    return session


def _engine_if_any(stack: Stack) -> Engine | None:
    try:
        return connect(stack.docker_host)
    except OpsError:
        return None


def _examine(stack: Stack) -> tuple[Engine | None, list[Finding]]:
    findings = [check_python()]
    try:
        engine = connect(stack.docker_host)
    except OpsError as error:
        failed = Finding(name="Docker Engine", status="fail", found=error.message, advice=error.advice)
        return None, [*findings, failed]
    return engine, [*findings, *_engine_findings(stack, engine)]


def _engine_findings(stack: Stack, engine: Engine) -> list[Finding]:
    settings = stack.settings
    missing = engine.missing_images(image_references(settings))
    return [
        check_engine(engine),
        *check_ports(settings, engine),
        check_memory(settings, engine, running=bool(own_containers(engine))),
        check_disk(settings, engine, missing),
    ]


def _toolchain_finding(choice: Choice) -> Finding:
    if choice.lab:
        return Finding(name="Pulumi", found=f"the closed-network lab: {choice.reason}")
    return Finding(name="Pulumi", found=choice.reason)


def _report(findings: list[Finding]) -> None:
    err.print(table(("", "check", "found"), [(MARKS[one.status], one.name, one.found) for one in findings]))
    for finding in findings:
        if finding.advice:
            say(f"{finding.name}: {finding.advice}")
    failed = [finding.name for finding in findings if finding.status == "fail"]
    if failed:
        raise OpsError(
            f"{', '.join(failed)}: see above", "do what the lines above say, then the same command"
        )
