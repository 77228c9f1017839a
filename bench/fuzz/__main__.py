"""`python -m bench.fuzz [--quick]`: requests by the schema, and several owners at random."""

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

from api.auth.keys import KeyRing
from api.auth.scopes import Scope
from bench.figures import Figure, publish
from bench.fuzz.schema import SchemaRun, run_schemathesis
from bench.fuzz.stateful import Outcome, fuzz
from bench.temporary import connected_stack, temporary_settings
from settings import load_settings

_OWNERS = ("ada", "bob", "eve")
_SEEDS = (1, 2, 3)
_SECONDS = 300.0
_EXAMPLES = 10
_PHASES = "examples,coverage,fuzzing"


async def main(*, quick: bool, seed: int) -> None:
    """Measure and publish."""
    outcome, runs = await measure(quick=quick, seed=seed)
    for problem in [*outcome.world.problems, *outcome.lost, *outcome.miscounted]:
        print(problem, file=sys.stderr)
    for run in runs.values():
        if not run.passed:
            print(run.output[-8000:], file=sys.stderr)
    requests = outcome.world.requests
    for name, number in sorted(requests.items()):
        print(f"  {name}: {number:,}")
    publish(
        "fuzz",
        [
            Figure("at random: time", "s", outcome.seconds),
            Figure("at random: requests", "", requests.total()),
            Figure("at random: operations", "", outcome.operations),
            Figure("at random: operations with several runs", "", outcome.resumed),
            Figure("at random: cancelled operations", "", len(outcome.world.cancelled)),
            Figure("at random: deliberate 503", "", outcome.world.busy),
            Figure("at random: wrong answers", "", len(outcome.world.problems), 0),
            Figure("at random: lost cancels", "", len(outcome.lost), 0),
            Figure("at random: surplus rows", "", outcome.several_rows, 0),
            Figure("at random: counts that do not agree", "", len(outcome.miscounted), 0),
            *(
                Figure(f"schema, seed {each}: routes with failures", "", run.failed_routes, 0)
                for each, run in runs.items()
            ),
        ],
    )
    if any(not run.passed for run in runs.values()):
        raise SystemExit(1)


async def measure(*, quick: bool, seed: int) -> tuple[Outcome, dict[int, SchemaRun]]:
    """Run both on one stack, one after the other."""
    with temporary_settings() as plain, tempfile.TemporaryDirectory() as directory:
        ring = plain.home / "keys.json"
        os.environ["KTRDR_API_KEYS"] = str(ring)
        os.environ["KTRDR_COMPUTE_SLOTS"] = "2"
        keys = {name: KeyRing(ring).add(name, name, (Scope.RUN,)) for name in _OWNERS}
        admin = KeyRing(ring).add("admin", "admin", (Scope.ADMIN,))
        settings = load_settings()
        async with connected_stack(settings) as (_, client):
            outcome = await fuzz(
                settings.api_url,
                client,
                keys,
                admin,
                seconds=20.0 if quick else _SECONDS,
                seed=seed,
            )
            runs = {
                each: await run_schemathesis(
                    settings.api_url,
                    Path(directory),
                    seed=each,
                    examples=2 if quick else _EXAMPLES,
                    phases=_PHASES,
                    key=admin,
                )
                for each in (_SEEDS[:1] if quick else _SEEDS)
            }
    return outcome, runs


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions, to see that it runs")
    parser.add_argument("--seed", type=int, default=1, help="of the choices of the owners")
    given = parser.parse_args()
    asyncio.run(main(quick=given.quick, seed=given.seed))
