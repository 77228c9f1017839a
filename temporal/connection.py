"""The connection to Temporal, and the preparation of a namespace."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client, Plugin
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode

from errors import StartupError
from temporal.converter import data_converter, make_encrypting_converter
from temporal.encryption import EncryptingCodec, open_key_file
from workflows.interface import search_attributes

_log = logging.getLogger(__name__)

_DEFAULT_ADDRESS = "localhost:7233"
_PATIENCE_SECONDS = 20.0
_SECONDS_BETWEEN_ATTEMPTS = 0.25
_RPC_TIMEOUT = timedelta(seconds=5)


async def connect(
    *,
    lazy: bool = False,
    runtime: Runtime | None = None,
    payload_keys: Path | None = None,
    plugins: Sequence[Plugin] = (),
) -> Client:
    """Connect as Temporal's environment configuration says (`TEMPORAL_ADDRESS`, profiles, TLS).

    Args:
        lazy: Whether to connect at the first call, for a process that must start without Temporal.
        runtime: Runtime of the SDK, or None for its default.
        payload_keys: File with the keys that encrypt payloads, or None for no encryption.
        plugins: SDK plugins for the client and its workers.

    Raises:
        StartupError: The keys cannot be read, or Temporal does not answer for twenty seconds. It
            has that time because processes that start together come up in any order.
    """
    converter = data_converter
    if payload_keys is not None:
        open_key_file(payload_keys).read()
        converter = make_encrypting_converter(EncryptingCodec(payload_keys))
    config = load_configuration()

    async def attempt() -> Client:
        client = await Client.connect(
            **config, data_converter=converter, lazy=lazy, runtime=runtime, plugins=plugins
        )
        if not lazy:
            await _require_namespace(client)
        return client

    problem: Exception | None = None
    try:
        # One limit for all attempts. On a silent server a single attempt takes all of it.
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                try:
                    return await attempt()
                except (RuntimeError, RPCError) as error:
                    problem = error
                _log.info("waiting for Temporal at %s", config["target_host"])
                await asyncio.sleep(_SECONDS_BETWEEN_ATTEMPTS)
    except TimeoutError:
        raise StartupError(
            f"Temporal does not answer at {config['target_host']}: {problem or 'it is silent'}. "
            "Is it running? Check TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and TLS."
        ) from problem


def load_configuration() -> ClientConnectConfig:
    """Read Temporal's environment configuration.

    Raises:
        StartupError: It is not valid, or a file that it names cannot be read.
    """
    try:
        config = ClientConfig.load_client_connect_config()
    except Exception as error:  # From the file, from TOML or from the SDK's core.
        raise StartupError(f"Temporal's connection settings cannot be used: {error}") from error
    config.setdefault("target_host", _DEFAULT_ADDRESS)
    return config


async def _require_namespace(client: Client) -> None:
    """Make sure that the namespace can be used.

    Raises:
        StartupError: Access was denied.
        RPCError: It does not exist, as a new one for a moment, or the server does not answer.
    """
    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        await client.workflow_service.describe_namespace(request, timeout=_RPC_TIMEOUT)
    except RPCError as error:
        if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED):
            raise StartupError(
                f"Access to namespace {client.namespace!r} was denied: {error.message}. "
                "Check the API key or the client certificate."
            ) from None
        raise


async def register_search_attributes(client: Client) -> list[str]:
    """Register our search attributes in the namespace, and return those that were new.

    Without the permission to register them, nothing is done: they must exist already.
    """
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace), retry=True, timeout=_RPC_TIMEOUT
    )
    request = AddSearchAttributesRequest(
        namespace=client.namespace,
        search_attributes={
            key.name: IndexedValueType.ValueType(key.indexed_value_type)
            for key in search_attributes.ALL
        },
    )
    try:
        await client.operator_service.add_search_attributes(
            request, retry=True, timeout=_RPC_TIMEOUT
        )
    except RPCError as error:
        if error.status not in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED):
            raise
        _log.warning("no permission to register search attributes: %s", error.message)
        return []
    return sorted(set(request.search_attributes) - set(known.custom_attributes))


async def set_retention(client: Client, retention: timedelta) -> timedelta:
    """Set how long the namespace keeps closed workflows, and return how long it was before."""
    service = client.workflow_service
    described = await service.describe_namespace(
        DescribeNamespaceRequest(namespace=client.namespace), retry=True, timeout=_RPC_TIMEOUT
    )
    before = described.config.workflow_execution_retention_ttl.ToTimedelta()
    if before != retention:
        request = UpdateNamespaceRequest(namespace=client.namespace)
        request.config.workflow_execution_retention_ttl.FromTimedelta(retention)
        await service.update_namespace(request, retry=True, timeout=_RPC_TIMEOUT)
    return before


async def pushes_cancels(client: Client) -> bool:
    """Whether the server pushes a cancel to a worker, instead of waiting for its next heartbeat."""
    answer = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=client.namespace), retry=True, timeout=_RPC_TIMEOUT
    )
    return answer.namespace_info.capabilities.worker_commands
