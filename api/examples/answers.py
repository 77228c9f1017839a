"""All example answers. Their own models validate them."""

from api.examples import (
    agent,
    campaigns,
    evidence,
    experiments,
    operations,
    schedules,
    steps,
    system,
    watches,
)

# By the name of the model, which is the name of its component in the schema.
ANSWERS = {
    type(example).__name__: example.model_dump(mode="json")
    for example in (
        *agent.EXAMPLES,
        *campaigns.EXAMPLES,
        *evidence.EXAMPLES,
        *experiments.EXAMPLES,
        *operations.EXAMPLES,
        *schedules.EXAMPLES,
        *steps.EXAMPLES,
        *system.EXAMPLES,
        *watches.EXAMPLES,
    )
}
