"""A worker of the next version: it cannot go on with what the version before it has begun."""

import asyncio
import sys

import worker
from temporal import registrations
from tests.replay.changed import LaterResearch

if __name__ == "__main__":
    del __file__
    setattr(registrations, "Research", LaterResearch)  # noqa: B010 - the name is not for others
    asyncio.run(worker.main(sys.argv[1:]))
