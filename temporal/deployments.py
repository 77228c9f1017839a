"""Versions of the workers that run side by side. One of them is current.

Temporal stores this. New operations start on the current version, and stay on the version on which
they were started. When nothing runs on an old version, its workers can be stopped.
"""

import asyncio
from datetime import timedelta

from pydantic import BaseModel
from temporalio.api.enums.v1 import VersionDrainageStatus
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from errors import StartupError

_TIMEOUT = timedelta(seconds=10)
_ATTEMPTS = 120
_SECONDS_BETWEEN_ATTEMPTS = 0.5

# The workers have not come yet, or the server is too busy to answer in time.
_MAY_PASS = (
    RPCStatusCode.NOT_FOUND,
    RPCStatusCode.FAILED_PRECONDITION,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.UNAVAILABLE,
)


class Version(BaseModel):
    """A version of the workers.

    Attributes:
        build_id: Name of the version.
        current: Whether new operations start on it.
        drained: Whether nothing runs on it any more.
    """

    build_id: str
    current: bool
    drained: bool


async def promote(client: Client, deployment: str, build_id: str) -> None:
    """Make a version the current one, as soon as its workers serve all queues.

    Raises:
        StartupError: Its workers did not appear, or do not serve every queue of the last version.
    """
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=deployment,
        build_id=build_id,
        identity=client.identity,
    )
    for _ in range(_ATTEMPTS):
        try:
            await client.workflow_service.set_worker_deployment_current_version(
                request, timeout=_TIMEOUT
            )
        except RPCError as error:
            if error.status not in _MAY_PASS:
                raise
            problem = error.message
            await asyncio.sleep(_SECONDS_BETWEEN_ATTEMPTS)
        else:
            return
    raise StartupError(f"Version {build_id} of {deployment} cannot take over: {problem}")


async def list_versions(client: Client, deployment: str) -> list[Version]:
    """Return the versions that Temporal knows, newest first.

    Raises:
        StartupError: This deployment has never had a worker, or Temporal does not answer.
    """
    request = DescribeWorkerDeploymentRequest(
        namespace=client.namespace, deployment_name=deployment
    )
    try:
        answer = await client.workflow_service.describe_worker_deployment(request, timeout=_TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise StartupError(f"Deployment {deployment!r} has never had a worker.") from None
        raise StartupError(f"Temporal does not answer: {error.message}") from error
    info = answer.worker_deployment_info
    current = info.routing_config.current_deployment_version.build_id
    drained = VersionDrainageStatus.VERSION_DRAINAGE_STATUS_DRAINED
    return [
        Version(
            build_id=each.deployment_version.build_id,
            current=each.deployment_version.build_id == current,
            drained=each.drainage_info.status == drained,
        )
        for each in sorted(
            info.version_summaries,
            key=lambda summary: summary.create_time.ToNanoseconds(),
            reverse=True,
        )
    ]
