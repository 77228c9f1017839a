"""How tests are run; `tests/support/system.py` has what all of them share."""

# Imported here because its plugin would do so when the session ends, which Python 3.11's parser may
# refuse (python/cpython#106905).
import hypothesis

pytest_plugins = [
    "tests.support.running.garbage",
    "tests.support.running.guarding",
    "tests.support.running.ordering",
    "tests.support.running.sharing",
    "tests.support.running.shuffling",
]

# The same examples each time, however slow the machine is.
hypothesis.settings.register_profile(
    "ktrdr",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("ktrdr")
