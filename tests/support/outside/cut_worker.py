"""A worker process that cuts searches finely."""

import asyncio
import sys

import worker
from temporal import registrations
from tests.support.outside.cut import FinelyCutResearch

if __name__ == "__main__":
    del __file__
    setattr(registrations, "Research", FinelyCutResearch)  # noqa: B010 - the name is not for others
    asyncio.run(worker.main(sys.argv[1:]))
