"""Bring a stack up and down, and show what would change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.text import Text

from ops.errors import OpsError
from ops.finding import Finding
from ops.inventory import Inventory
from ops.neighbours import refuse_neighbours
from ops.outputs import StackOutputs
from ops.project import load_stack
from ops.pulumi.state import forget_stack
from ops.pulumi.toolchain import Choice, provide
from ops.screen import MARKS, err, heading, out, say, table
from ops.session import Session, bind, working
from ops.sites import site_of


def doctor(name: str) -> None:
    """Check everything that ``up`` needs, change nothing.

    Raises:
        OpsError: something would make ``up`` fail.
    """
    examined = site_of(load_stack(name)).examine()
    _report([*examined.findings, _toolchain_finding(examined.choice)])


def prepare(name: str) -> None:
    """Install the engine, or prepare the lab on a closed network; deploy nothing.

    Raises:
        OpsError: the parts are not available.
    """
    stack = load_stack(name)
    choice = site_of(stack).choose()
    say(f"Pulumi: {_toolchain_finding(choice).found}")
    provide(choice, docker_host=stack.docker_host)


def up(name: str) -> Session:
    """Check, get the engine, and bring the stack up; repeating it is safe.

    Raises:
        OpsError: a check or the engine failed.
    """
    stack = load_stack(name)
    heading("Checks")
    examined = site_of(stack).examine()
    _report([*examined.findings, _toolchain_finding(examined.choice)])
    heading("Engine")
    toolchain = provide(examined.choice, phase=stack.settings.phase, docker_host=stack.docker_host)
    if examined.later is not None:
        _report(examined.later())
    session = bind(stack, toolchain)
    refuse_neighbours(session)
    session.pulumi.make()
    heading(f"Stack {name}")
    _forget_what_was_removed(session)
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
    _remove_all_but(session, inventory, [*inventory.kept_urns, *inventory.protected_urns])
    buckets = f" and the buckets {', '.join(inventory.buckets)}" if inventory.buckets else ""
    say(f"The data is kept, in {session.site.data(inventory)}{buckets}; make up finds it again.")


def destroy(name: str, agreed: Callable[[str], bool]) -> None:
    """Remove everything, data and the stack's state included.

    What is protected stays, and so does the state: without it the engine would not recognise what stayed.

    Args:
        name: of the stack.
        agreed: is asked before anything is removed, with the names of what holds the data.

    Raises:
        OpsError: nobody agreed, or the engine failed.
    """
    session = _existing(name)
    inventory = session.inventory()
    data, protected = session.site.data(inventory), inventory.protected_urns
    stays = f" What is protected stays: {_named(inventory)}." if protected else ""
    if not agreed(f"Delete the stack {name} and all of its data: {data}?{stays}"):
        raise OpsError("nothing was deleted", "answer y, or pass --yes")
    _remove_all_but(session, inventory, protected)
    session.site.forget_data()
    if protected:
        say(f"Protected, and still there: {_named(inventory)}; so is the stack's state, which knows them.")
        say("docs/object-storage.md, What destroy keeps, says how to remove both; make up uses them again.")
        return
    session.pulumi.answer("stack", "rm", "--yes", "--preserve-config")
    forget_stack(session.stack, session.state)
    say(f"The stack {name} is gone, and its data with it.")


def show_outputs(outputs: StackOutputs) -> None:
    """Print a stack's outputs as a table."""
    rows = [(key, str(value)) for key, value in sorted(outputs.values.items())]
    out.print(table(("output", "value"), rows))


def show_next_steps(session: Session) -> None:
    """Print where things are and what to type next."""
    outputs = session.outputs()
    show_addresses(outputs)
    if ways_in := session.site.ways_in():
        out.print(f"\n{ways_in}")
    out.print("\nPoint an application at it:\n")
    out.print(Text(outputs.text("sdk_environment")))
    out.print(
        "\nNext: make health, make password, make preview; make down keeps the data, make help lists all."
    )


def show_addresses(outputs: StackOutputs) -> None:
    """Print where things are."""
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


def _forget_what_was_removed(session: Session) -> None:
    """Have the engine look again at what somebody has removed: it takes what it has made for present."""
    try:
        removed = session.site.removed(session.resources())
    except OpsError as error:
        say(f"Not checked whether somebody removed a part of the stack: {error.message}")
        return
    if removed:
        say(f"Removed by somebody, and made again: {_names(removed)}")
        targets = [f"--target={urn}" for urn in removed]
        session.pulumi.run("refresh", "--yes", "--skip-preview", *targets, config=True)


def _remove_all_but(session: Session, inventory: Inventory, urns: Sequence[str]) -> None:
    """Have the engine delete everything but these resources and what they depend on."""
    session.site.stop_peers(inventory)
    excluded = [f"--exclude={urn}" for urn in urns]
    session.pulumi.run("destroy", "--yes", *excluded, config=True)


def _named(inventory: Inventory) -> str:
    """Name what is protected: the buckets; the other resources are settings of theirs."""
    if inventory.buckets:
        return f"the buckets {', '.join(inventory.buckets)}"
    return _names(inventory.protected_urns)


def _names(urns: Sequence[str]) -> str:
    return ", ".join(urn.rpartition("::")[-1] for urn in urns)


def _existing(name: str) -> Session:
    session = working(name)
    if not session.pulumi.exists():
        raise OpsError(f"the stack {name} is not up: there is nothing to remove", status=2)
    return session


def _toolchain_finding(choice: Choice) -> Finding:
    if choice.lab:
        return Finding(name="Pulumi", found=f"the closed-network lab: {choice.reason}")
    return Finding(name="Pulumi", found=choice.reason)


def _report(findings: Sequence[Finding]) -> None:
    err.print(table(("", "check", "found"), [(MARKS[one.status], one.name, one.found) for one in findings]))
    for finding in findings:
        if finding.advice:
            say(f"{finding.name}: {finding.advice}")
    failed = [finding.name for finding in findings if finding.status == "fail"]
    if failed:
        raise OpsError(
            f"{', '.join(failed)}: see above", "do what the lines above say, then run the same command again"
        )
