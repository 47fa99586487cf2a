"""What may every test ask for? The address of a real service, a database of its own, a free port.

A service that this machine cannot run skips its tests by name; with CI set, any skip fails the run.
"""

import gc
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio as redis_asyncio
import structlog
from coverage import Coverage
from hypothesis import HealthCheck, is_hypothesis_test, settings

from tests.services import databases, programs, rabbitmq
from tests.services.errors import UnavailableError
from tests.services.ports import free_port as any_free_port
from tests.services.running import ELASTICSEARCH, POSTGRESQL, RABBITMQ, REDIS, TIMESCALE, Services
from tests.services.untraced_greenlets import put_the_tracer_aside
from tests.services.untraced_setups import UntracedSetups
from tocsin.collector import look_seldom

# No property depends on how fast the machine is: neither by a deadline, nor by how long it takes to make input.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
put_the_tracer_aside()

RANDOM_INPUT = frozenset({"test_fuzz.py", "test_hostile_posts.py"})
# One question asked of every field there is: the same lines hundreds of times.
SWEEPS = frozenset({"test_every_field.py", "test_hidden_words.py", "test_object_ids.py", "test_scopes.py"})
END_TO_END = Path(__file__).parent / "e2e"
UNIT = Path(__file__).parent / "unit"
_SERVICES = pytest.StashKey[Services]()
# The queues of jobs/broker.py, by name: a run that tests no broker loads none.
QUEUES = ("tocsin.urgent", "tocsin.due", "tocsin.slow")


class _NoParameters:
    params: Mapping[str, object] = {}


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    """One set of services a run."""
    look_seldom()
    config.addinivalue_line("markers", "traced: the lines of the program it starts count")
    # A run in the background of a shell ignores SIGINT, and so would every program it starts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # structlog's default draws every local variable of a traceback: seconds of work wherever a test makes an error.
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])
    config.stash[_SERVICES] = Services()
    config.pluginmanager.register(UntracedSetups())
    if _is_worker(config):
        _stop_early_tracers()


def _stop_early_tracers() -> None:
    """Of several tracers in a process the last one traces, and one that pauses hands on to the one before it.

    A worker has two before its own: as a program that a traced process started, and as if it were no worker. What they
    saw is thrown away, and under them nothing ran without a tracer.
    """
    while (early := Coverage.current()) is not None:
        early.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What adds no line runs without the coverage tracer, under which Python takes twice its time.

    That is random input and sweeps, whose lines the examples cover, and what stands outside of the programs it tests.
    What needs Elasticsearch runs in one worker, so that one server (0.8 GB) is enough; so does what needs RabbitMQ.
    What runs beside real servers has a second try, named at the end: thousands of tests that start, kill and wait for
    processes on a busy machine are judged by whether they fail again. A unit test has none.
    """
    for item in items:
        if not item.path.is_relative_to(UNIT):
            item.add_marker(pytest.mark.flaky(reruns=1))
        if "elasticsearch_url" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("elasticsearch"))
        parameters = getattr(item, "callspec", _NoParameters).params.values()
        if "rabbitmq" in parameters or "rabbitmq_server_url" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("rabbitmq"))
        is_random = item.path.name in RANDOM_INPUT or is_hypothesis_test(getattr(item, "obj", None))
        if is_random or item.path.name in SWEEPS or item.path.is_relative_to(END_TO_END):
            item.add_marker(pytest.mark.no_cover)


def pytest_collection_finish() -> None:
    """Thousands of tests and modules stay to the end: the collector of garbage need not look through them again."""
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Nothing outlives the run."""
    config.stash[_SERVICES].stop_all()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With CI set a skip is a failure: everything was meant to run there."""
    programs.close()  # before the lines of this process and of those it started are put together
    if not os.environ.get("CI") or _is_worker(session.config):
        return
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal and terminal.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what needed a second try, what did not run, and what CI makes of it."""
    tried_again = terminalreporter.stats.get("rerun", [])
    if tried_again:
        terminalreporter.section(f"{len(tried_again)} tried a second time", yellow=True)
        for report in tried_again:
            terminalreporter.write_line(f"{report.nodeid}\n{report.longreprtext}\n")
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    terminalreporter.section(f"{len(skipped)} skipped", red=bool(os.environ.get("CI")))
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        terminalreporter.write_line(f"{report.nodeid}: {reason.removeprefix('Skipped: ')}")
    if os.environ.get("CI"):
        terminalreporter.write_line("CI is set: a skipped test fails the run")


@pytest.fixture(scope="session")
def services(pytestconfig: pytest.Config) -> Services:
    """The real servers of this run, each started when first asked for."""
    return pytestconfig.stash[_SERVICES]


def _address(services: Services, variable: str) -> str:
    try:
        return services.url(variable)
    except UnavailableError as error:
        pytest.skip(f"{variable}: {error}")


@pytest.fixture(scope="session")
def postgresql_server_url(services: Services) -> str:
    """A superuser's address of the PostgreSQL server: for tests that make roles or look at other sessions."""
    return _address(services, POSTGRESQL)


@pytest.fixture(scope="session")
def timescale_server_url(services: Services) -> str:
    """A superuser's address of the PostgreSQL server with TimescaleDB."""
    return _address(services, TIMESCALE)


@contextmanager
def _database(server_url: str, *, timescale: bool = False) -> Iterator[str]:
    url = databases.create_database(server_url, timescale=timescale)
    try:
        yield url
    finally:
        databases.drop_database(server_url, url)


@pytest.fixture
def database_url(postgresql_server_url: str) -> Iterator[str]:
    """A migrated database for this test alone, as the role that owns it (`postgresql://…`)."""
    with _database(postgresql_server_url) as url:
        yield url


@pytest.fixture
def application_url(database_url: str) -> str:
    """The database of `database_url` as the application's lesser role, which is what production runs as."""
    return databases.as_application(database_url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the database, as its owner, beside whatever the test runs."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
def module_database_url(postgresql_server_url: str) -> Iterator[str]:
    """A migrated database the tests of one module share: for those that fill it once and only read."""
    with _database(postgresql_server_url) as url:
        yield url


@pytest.fixture
def empty_database_url(postgresql_server_url: str) -> Iterator[str]:
    """A database without any table, for tests of migrations."""
    url = databases.create_empty_database(postgresql_server_url)
    try:
        yield url
    finally:
        databases.drop_database(postgresql_server_url, url)


@pytest.fixture
def timescale_url(timescale_server_url: str) -> Iterator[str]:
    """A migrated database for this test alone, with the extension TimescaleDB created."""
    with _database(timescale_server_url, timescale=True) as url:
        yield url


@pytest.fixture
def redis_url(services: Services, worker_number: int) -> str:
    """An empty Redis database; each xdist worker has its own number. Channels are shared by all numbers."""
    url = f"{_address(services, REDIS).rsplit('/', 1)[0]}/{worker_number}"
    databases.run(_flush(url))
    return url


@pytest.fixture(scope="session")
def elasticsearch_url(services: Services) -> str:
    """A real Elasticsearch, shared by the tests: each keeps to indices of its own."""
    return _address(services, ELASTICSEARCH)


@pytest.fixture(scope="session")
def rabbitmq_server_url(services: Services) -> str:
    """A real RabbitMQ, for tests that want nothing of its queues."""
    return _address(services, RABBITMQ)


@pytest.fixture(params=["redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> str:
    """The same test runs on each of the brokers; none of our queues holds anything."""
    if request.param == "redis":
        return str(request.getfixturevalue("redis_url"))
    url = str(request.getfixturevalue("rabbitmq_server_url"))
    rabbitmq.forget(url, QUEUES)
    return url


async def _flush(url: str) -> None:
    client = redis_asyncio.from_url(url)
    try:
        await client.flushdb()
    finally:
        await client.aclose()


@pytest.fixture(scope="session")
def worker_number() -> int:
    """0 without xdist, else 1 for the first worker, and so on."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    return int(worker.removeprefix("gw")) + 1 if worker else 0


@pytest.fixture
def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    return any_free_port()
