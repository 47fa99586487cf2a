"""The server ends TLS itself: 1.3, nothing before it, and the header that keeps browsers on https (ASVS 5 12.1.1)."""

import datetime as dt
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from websockets.sync.client import connect

from persistence.bootstrap import ensure_first_administrator
from tests.api import SECRET, api_settings
from tests.e2e.running_program import ROOT, wait_for
from tests.services import programs
from tests.services.environment import inherited
from tocsin.processes import spawn


@dataclass(frozen=True)
class Files:
    """A certificate for 127.0.0.1, signed by itself."""

    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(tz=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    made = Files(folder / "certificate.pem", folder / "key.pem")
    made.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made


def environment(url: str, folder: Path, port: int, **more: object) -> dict[str, str]:
    return {
        **inherited(),
        "TOCSIN_DATABASE_URL": url,
        "TOCSIN_DATA_DIR": str(folder),
        "TOCSIN_SECRET_KEY": SECRET,
        "TOCSIN_PORT": str(port),
        **{name: str(value) for name, value in more.items()},
    }


def trusting(files: Files) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(files.certificate))


@pytest.fixture
def served(application_url: str, tmp_path: Path, free_port: int, files: Files) -> Iterator[str]:
    ensure_first_administrator(api_settings(application_url, tmp_path))
    more = {"TOCSIN_TLS_CERTIFICATE": files.certificate, "TOCSIN_TLS_KEY": files.key}
    log = tmp_path / "api.log"
    with log.open("wb") as file:
        process = spawn(
            [sys.executable, "-m", "tocsin", "serve"],
            cwd=ROOT,
            environment=environment(application_url, tmp_path, free_port, **more),
            output=file,
        )
    url = f"https://127.0.0.1:{free_port}"
    try:
        wait_for(lambda: _is_live(url, files), log.read_text)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _is_live(url: str, files: Files) -> bool:
    try:
        return httpx2.get(f"{url}/livez", verify=trusting(files)).is_success
    except httpx2.TransportError:
        return False


def test_it_speaks_1_3_and_refuses_1_2(served: str, files: Files) -> None:
    """ASVS 5 12.1.1, 3.4.1."""
    response = httpx2.get(f"{served}/livez", verify=trusting(files))
    assert response.status_code == 200
    assert response.headers["strict-transport-security"] == "max-age=31536000"
    old = trusting(files)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    # The server ends the handshake; whether its reason arrives before the end is a race.
    with pytest.raises(httpx2.ConnectError, match="SSL"):
        httpx2.get(f"{served}/livez", verify=old)
    with pytest.raises(httpx2.TransportError):
        httpx2.get(f"{served.replace('https', 'http')}/livez")


def test_sockets_go_the_same_way(served: str, files: Files) -> None:
    address = f"{served.replace('https', 'wss')}/graphql"
    with connect(address, subprotocols=["graphql-transport-ws"], ssl=trusting(files)) as socket:  # type: ignore[list-item]
        socket.send('{"type": "connection_init"}')
        assert "connection_ack" in str(socket.recv(10))


@pytest.mark.parametrize("broken", ["missing", "not a key", "alone"])
def test_files_that_are_not_right_are_said_so_in_a_line(
    application_url: str, tmp_path: Path, free_port: int, files: Files, broken: str
) -> None:
    key = tmp_path / "key.pem"
    if broken == "not a key":
        key.write_text("nonsense")
    more = {"TOCSIN_TLS_CERTIFICATE": files.certificate, **({} if broken == "alone" else {"TOCSIN_TLS_KEY": key})}
    done = programs.run("serve", environment=environment(application_url, tmp_path, free_port, **more), seconds=60)
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if line.startswith("tocsin: ")]
    assert len(said) == 1
    assert "TOCSIN_TLS_" in said[0]
