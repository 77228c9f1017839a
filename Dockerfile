# One image for API, workers and command. Pinned by digest, because a tag is rebuilt with other system
# libraries.
FROM python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d AS base

# Dependencies are a layer of their own: a release that changes none of them does not move them.
FROM base AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN apt-get update && apt-get install -y --no-install-recommends binutils
# pip works from outside the environment that it fills, so that the image has none.
RUN python -m venv /tools && python -m venv --without-pip /venv
COPY requirements.lock deploy/slim.sh deploy/strip.sh ./
RUN /tools/bin/pip --python /venv/bin/python install --require-hashes -r requirements.lock \
    && sh slim.sh /venv/lib/python3.*/site-packages \
    && sh strip.sh /venv/lib/python3.*/site-packages

FROM dependencies AS package
COPY requirements-build.lock ./
RUN /tools/bin/pip install --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY errors.py settings.py worker.py ./
COPY activities activities
COPY api api
COPY cli cli
COPY quant quant
COPY storage storage
COPY temporal temporal
COPY workflows workflows
RUN /tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /tools/bin/pip --python /venv/bin/python install --no-deps --target /app dist/*.whl \
    && mkdir /state

FROM base
# LightGBM's wheel needs OpenMP from the system.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* /usr/local/bin/pip* /usr/local/lib/python3.*/site-packages/pip* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin ktrdr
COPY --from=dependencies /venv /venv
COPY --from=package --chown=ktrdr:ktrdr /state /state
COPY --from=package /app /app
ENV PATH=/app/bin:/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    MPLCONFIGDIR=/tmp/matplotlib KTRDR_HOME=/state
WORKDIR /app
USER ktrdr
VOLUME /state
# With another command it is a worker (`python worker.py training`) or a client (`ktrdr ops`).
CMD ["python", "-m", "api"]
