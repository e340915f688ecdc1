# An image of rsspot with all that runs without a terminal: PostgreSQL, metrics, policies, and git for `watch --git`.
# The wheel is built here, and installed from the pins of requirements/image.txt.
FROM python:3.13-slim AS build
WORKDIR /source
COPY requirements/image.txt pyproject.toml README.md LICENSE ./
COPY src src
RUN python -m venv /opt/rsspot \
    && /opt/rsspot/bin/pip install --no-cache-dir --require-hashes -r image.txt \
    && /opt/rsspot/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/rsspot/bin/pip install --no-cache-dir --no-deps /wheels/*.whl \
    && /opt/rsspot/bin/pip uninstall --yes pip hatchling editables

FROM python:3.13-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home rsspot
COPY --from=build /opt/rsspot /opt/rsspot
ENV PATH=/opt/rsspot/bin:$PATH PYTHONUNBUFFERED=1
# Nothing is written outside of the home and /tmp, so the root may be mounted read-only.
USER 10001:10001
WORKDIR /home/rsspot
ENTRYPOINT ["rsspot"]
CMD ["--help"]
