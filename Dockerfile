# One image for API, workers and command. Built in two stages, so it contains no compiler and no cache.
# Pinned by digest, because a tag is rebuilt with other system libraries.
FROM python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN python -m venv /venv
# What changes rarely comes first, so that a code change reinstalls no dependencies.
COPY requirements.lock ./
RUN /venv/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY errors.py settings.py worker.py ./
COPY activities activities
COPY api api
COPY cli cli
COPY quant quant
COPY storage storage
COPY temporal temporal
COPY workflows workflows
RUN /venv/bin/pip install --no-deps --no-build-isolation . \
    && mkdir -p /state

FROM python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d
# LightGBM's wheel needs OpenMP from the system.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin ktrdr
COPY --from=build /venv /venv
COPY --from=build --chown=ktrdr:ktrdr /state /state
COPY worker.py /app/worker.py
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    MPLCONFIGDIR=/tmp/matplotlib KTRDR_HOME=/state
WORKDIR /app
USER ktrdr
VOLUME /state
# With another command it is a worker (`python worker.py training`) or a client (`ktrdr ops`).
CMD ["python", "-m", "api"]
