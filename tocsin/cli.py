"""Which commands are there? `tocsin up` for one machine; one command a role for many; the rest looks after the data.

What can be mended by the operator ends a command with one line on stderr and exit code 1.
"""

import socket
import sys
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError

from tocsin.audit_cli import app as audit_app
from tocsin.collector import end_without_looking, look_seldom
from tocsin.command_frame import log_warnings as _log_warnings
from tocsin.command_frame import reachable as _reachable
from tocsin.command_frame import read_settings as _settings
from tocsin.command_frame import say as _say
from tocsin.documents_cli import app as documents_app
from tocsin.errors import EXIT_REFUSED, StartError
from tocsin.privacy_cli import erasures_app, keys_app
from tocsin.settings import MissingSettingError

app = typer.Typer(
    name="tocsin",
    help="Tocsin, an alerts management server. Start with `tocsin up`; settings are TOCSIN_… variables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
ROLES = "Roles, one process each"
DATA = "Looking after it"

Port = Annotated[
    int | None, typer.Option("--port", "-p", min=0, max=65535, help="Port of the API (else TOCSIN_PORT, else 8080).")
]
Host = Annotated[str | None, typer.Option("--host", help="Address to listen on (else TOCSIN_HOST, else 127.0.0.1).")]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="API processes that share the port (else TOCSIN_API_WORKERS).")
]


@app.command()
def up(
    port: Port = None,
    host: Host = None,
    workers: Workers = None,
    *,
    stop_with_parent: Annotated[
        bool, typer.Option("--stop-with-parent", help="Stop when the process that started this one ends.")
    ] = False,
) -> None:
    """Run everything on this machine, with embedded servers for what no URL is given.

    PostgreSQL and Valkey keep their data in TOCSIN_DATA_DIR (`./.tocsin`). Prints the addresses and, at the first
    start, the administrator's password and a `curl` that posts an alert. Ctrl-C stops everything.
    """
    from tocsin.up import up as run  # noqa: PLC0415 - loads only what the command needs

    settings = _settings(port=port, host=host, api_workers=workers)
    _log_warnings(settings)
    run(settings, stop_with_parent=stop_with_parent)


@app.command(rich_help_panel=ROLES)
def serve(
    port: Port = None,
    host: Host = None,
    workers: Workers = None,
    fd: Annotated[int | None, typer.Option(hidden=True, help="An inherited listening socket.")] = None,
) -> None:
    """Run the API: GraphQL, webhooks, health and metrics. Any number of them may run."""
    from tocsin import api_processes, listening, roles  # noqa: PLC0415

    settings = _reachable(_settings(port=port, host=host, api_workers=workers))
    if fd is not None:
        roles.run_api(settings, socket.socket(fileno=fd))
        return
    listener = listening.listen(settings)
    settings = listening.with_actual_port(settings, listener)
    if settings.api_workers > 1:
        api_processes.serve_with_workers(settings, listener, _say)
    else:
        roles.run_api(settings, listener)


@app.command(rich_help_panel=ROLES)
def relay() -> None:
    """Carry events to subscriptions, jobs and metrics. One is active, others stand by."""
    from tocsin import roles  # noqa: PLC0415

    roles.run_relay(_reachable(_settings()))


@app.command(rich_help_panel=ROLES)
def worker() -> None:
    """Work through the jobs. Any number of them may run."""
    from tocsin import roles  # noqa: PLC0415

    roles.run_worker(_reachable(_settings()))


@app.command(rich_help_panel=ROLES)
def scheduler() -> None:
    """Do what is due by time. One is active, others stand by."""
    from tocsin import roles  # noqa: PLC0415

    roles.run_scheduler(_reachable(_settings()))


@app.command(rich_help_panel=DATA)
def migrate() -> None:
    """Bring the database to this version's schema, and make the first administrator if there is none.

    Runs as TOCSIN_DATABASE_OWNER_URL. Safe to repeat, and to run twice at once. A generated password is printed once.
    """
    from tocsin.first_steps import prepare_administrator  # noqa: PLC0415
    from tocsin.migrate import migrate as run  # noqa: PLC0415

    settings = _reachable(_settings())
    _log_warnings(settings)
    report = run(settings)
    typer.echo(f"schema {report.after} (was {report.before or 'empty'}); time series: {report.level.value}")
    password = prepare_administrator(settings)
    if password is not None:
        typer.echo(f"administrator {settings.admin_email}: password {password} (shown this once)")


@app.command(rich_help_panel=DATA)
def reindex() -> None:
    """Build the search index anew from the database, and put it in the place of the old one.

    Safe at any time and while alerts come in; searches are answered by the old index meanwhile. Stopped half-way, it
    leaves the old one as it is: run it again.
    """
    from tocsin.reindex import reindex as run  # noqa: PLC0415

    settings = _reachable(_settings())
    _log_warnings(settings)
    typer.echo(run(settings, _say))


@app.command("text-index", rich_help_panel=DATA)
def text_index(*, drop: Annotated[bool, typer.Option("--drop", help="Drop it instead.")] = False) -> None:
    """Make an index of alerts' words in PostgreSQL, for searches where there is no Elasticsearch.

    Safe while alerts come in. Each alert then costs about a tenth more to take; a search for a rare word takes
    milliseconds instead of up to a second a million alerts.
    """
    from tocsin.text_index import change_text_index  # noqa: PLC0415

    settings = _reachable(_settings())
    _log_warnings(settings)
    typer.echo(change_text_index(settings, is_wanted=not drop))


@app.command(rich_help_panel=DATA)
def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False
) -> None:
    """Say what is reachable, what that means, and what to do.

    Exit code 0: all is well. 1: broken, alerts cannot be taken. 2: degraded, alerts are taken and something is missing.
    """
    from tocsin.doctor import examine, show  # noqa: PLC0415

    settings = _reachable(_settings())
    _log_warnings(settings)
    report = examine(settings)
    show(report, as_json=as_json)
    raise typer.Exit(report.exit_code)


factors_app = typer.Typer(help="Help people who lost their second factors.", no_args_is_help=True)
app.add_typer(factors_app, name="factors", rich_help_panel=DATA)


@factors_app.command("reset")
def reset_factors(address: Annotated[str, typer.Argument(help="The person's e-mail address.")]) -> None:
    """Remove the second factors of somebody who lost them all, and end their sessions.

    For the last administrator; anybody else asks one for `resetUserFactors`. Be sure that it is they who ask.
    """
    from tocsin.factors import reset  # noqa: PLC0415

    if not reset(_reachable(_settings()), address):
        raise StartError(f"nobody has the address {address}")
    _say(f"{address} has no second factor any more, and signs in with the password")


app.add_typer(audit_app, name="audit", rich_help_panel=DATA)

app.add_typer(documents_app, name="documents", rich_help_panel=DATA)
app.add_typer(keys_app, name="keys", rich_help_panel=DATA)
app.add_typer(erasures_app, name="erasures", rich_help_panel=DATA)


@app.command(rich_help_panel=DATA)
def version() -> None:
    """Print the version."""
    from graphql_api.version import VERSION  # noqa: PLC0415

    typer.echo(VERSION)


def main() -> NoReturn:
    """Run the command line; the only place that turns refusals into lines and exit codes."""
    look_seldom()
    end_without_looking()
    try:
        app(prog_name="tocsin")
    except (StartError, MissingSettingError) as error:
        _refuse(str(error))
    except ValidationError as error:
        _refuse(*(_setting_line(problem) for problem in error.errors(include_url=False, include_input=False)))
    sys.exit(0)


def _setting_line(problem: Any) -> str:  # noqa: ANN401 - pydantic's own dictionary
    name = "_".join(str(part) for part in problem["loc"]).upper()
    return f"{'TOCSIN_' if name else ''}{name}{': ' if name else ''}{problem['msg'].removeprefix('Value error, ')}"


def _refuse(*lines: str) -> NoReturn:
    for line in lines:
        _say(f"tocsin: {line}")
    sys.stderr.flush()
    sys.exit(EXIT_REFUSED)
