"""Connections through TLS, as Temporal's own environment configuration describes them."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from errors import StartupError
from temporal.connection import connect
from tests.support.helpers import free_port


@dataclass(frozen=True)
class Authority:
    """Signs certificates; files are named after whom they are for."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls, folder: Path, name: str) -> "Authority":
        """Make one that has signed itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate(name, key.public_key(), name, key, authority=True)
        (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        return cls(folder, name, key, made)

    @property
    def path(self) -> Path:
        """File of its own certificate."""
        return self.folder / f"{self.name}.pem"

    def sign(self, name: str) -> tuple[Path, Path]:
        """Make a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate(name, key.public_key(), self.name, self.key, authority=False)
        paths = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return paths


def _certificate(
    subject: str,
    key: ec.EllipticCurvePublicKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
) -> x509.Certificate:
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(here, critical=False)
        .sign(signer, hashes.SHA256())
    )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.new(tmp_path, "ours")


@pytest_asyncio.fixture
async def secured(
    server: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """The server behind TLS that asks for a certificate of ours; the environment names it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("server"))
    context.load_verify_locations(authority.path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    host, _, plain_port = server.partition(":")
    open_writers: list[asyncio.StreamWriter] = []

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(host, int(plain_port))
        open_writers.extend((writer, there[1]))
        await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))

    listening = await asyncio.start_server(passed_on, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]
    client_certificate, client_key = authority.sign("client")
    for name, value in {
        "ADDRESS": f"127.0.0.1:{port}",
        "TLS": "true",
        "TLS_SERVER_CA_CERT_PATH": authority.path,
        "TLS_CLIENT_CERT_PATH": client_certificate,
        "TLS_CLIENT_KEY_PATH": client_key,
    }.items():
        monkeypatch.setenv(f"TEMPORAL_{name}", str(value))
    # Whoever starts is patient; a test that waits for a refusal is not.
    monkeypatch.setattr("temporal.connection._PATIENCE_SECONDS", 3.0)
    async with listening:
        yield
    for writer in open_writers:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.mark.usefixtures("secured")
async def test_with_the_right_certificates_one_gets_in() -> None:
    client = await connect()
    assert (await client.count_workflows("WorkflowType = 'nothing'")).count == 0


@pytest.mark.usefixtures("secured")
async def test_a_server_with_a_foreign_certificate_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = Authority.new(tmp_path, "foreign")
    monkeypatch.setenv("TEMPORAL_TLS_SERVER_CA_CERT_PATH", str(foreign.path))
    with pytest.raises(StartupError, match=r"does not answer.*TLS"):
        await connect()


@pytest.mark.usefixtures("secured")
async def test_a_client_with_a_foreign_certificate_is_not_let_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = Authority.new(tmp_path, "foreign").sign("stranger")
    monkeypatch.setenv("TEMPORAL_TLS_CLIENT_CERT_PATH", str(certificate))
    monkeypatch.setenv("TEMPORAL_TLS_CLIENT_KEY_PATH", str(key))
    with pytest.raises(StartupError, match="does not answer"):
        await connect()


@pytest.mark.usefixtures("secured")
async def test_a_namespace_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "nowhere")
    with pytest.raises(StartupError, match="nowhere"):
        await connect()


async def test_an_address_where_nothing_listens_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    monkeypatch.setattr("temporal.connection._PATIENCE_SECONDS", 3.0)
    with pytest.raises(StartupError, match=address):
        await connect()
