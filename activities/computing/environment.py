"""The environment of processes that compute, or read files of users."""

from typing import Final

from activities.llm.providers import KEY_VARIABLES

SECRET_VARIABLES: Final = (*KEY_VARIABLES, "KTRDR_NOTIFY_URL")
"""Not for them: the keys of language models and the addresses of notices."""

ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Two researches use two cores better than eight threads of libraries do."""

FEW_PAGES: Final = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""What is forked takes most of its time for pages, and so does its death. Huge ones are fewer."""
