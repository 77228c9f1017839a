"""Connecting to Temporal, and preparing a namespace."""

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
from temporal.converter import data_converter, encrypting
from temporal.encryption import EncryptingCodec, key_file
from workflows import search_attributes

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
        lazy: connect on the first call, for a process that must start without Temporal.
        runtime: the SDK's default if None.
        payload_keys: file with the keys that encrypt payloads; None for no encryption.
        plugins: SDK plugins, for the client and all its workers.

    Raises:
        StartupError: the keys cannot be read, or Temporal does not answer for twenty seconds
            (processes that start together come up in any order).
    """
    converter = data_converter
    if payload_keys is not None:
        key_file(payload_keys).read()
        converter = encrypting(EncryptingCodec(payload_keys))
    config = configuration()

    async def attempt() -> Client:
        client = await Client.connect(
            **config, data_converter=converter, lazy=lazy, runtime=runtime, plugins=plugins
        )
        if not lazy:
            await _require_namespace(client)
        return client

    problem: Exception | None = None
    try:
        # Over all attempts: on a server that is silent a single one takes as long as many.
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


def configuration() -> ClientConnectConfig:
    """Return what Temporal's environment configuration says.

    Raises:
        StartupError: it is not valid, or a file that it names cannot be read.
    """
    try:
        config = ClientConfig.load_client_connect_config()
    except Exception as error:  # Not of one kind: of the file, of TOML, of the SDK's core.
        raise StartupError(f"Temporal's connection settings cannot be used: {error}") from error
    config.setdefault("target_host", _DEFAULT_ADDRESS)
    return config


async def _require_namespace(client: Client) -> None:
    """Return if the namespace is accessible; a new one may take a moment to become visible.

    Raises:
        StartupError: access was denied.
        RPCError: it does not exist, or the server does not answer.
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
    """Register our search attributes in the namespace, and return those that were new to it.

    Where we lack the permission to register them, they must exist already.
    """
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace), retry=True, timeout=_RPC_TIMEOUT
    )
    request = AddSearchAttributesRequest(
        namespace=client.namespace,
        search_attributes={
            key.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD for key in search_attributes.ALL
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


async def keep_closed_workflows(client: Client, retention: timedelta) -> timedelta:
    """Set how long the namespace keeps closed workflows, and return the previous retention."""
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
