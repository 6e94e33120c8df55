# The service as a small image: built from the wheel and the lock file, run without root and on a read-only root.
#   docker build -t explainer .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     -v explainer:/var/lib/explainer -p 127.0.0.1:8080:8080 explainer
# What it writes (registry, keys, ledger, cache, compiled kernels) lies in the volume /var/lib/explainer.

# Pin it by digest in your own build: --build-arg PYTHON_IMAGE=python:3.13-slim@sha256:... (docs/how-to/sbom.md).
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /tools && /tools/bin/pip install --quiet 'uv>=0.5' && python -m venv --without-pip /opt/explainer
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY explainer ./explainer
COPY webui ./webui
# Which model libraries go in, and notices as PDF; each is an extra of pyproject.toml.
ARG EXTRAS=xgboost,lightgbm,onnx,parquet,pdf
RUN /tools/bin/uv build --quiet --wheel --out-dir /wheel \
 && /tools/bin/uv pip install --quiet --python /opt/explainer/bin/python --compile-bytecode \
      --constraint requirements.lock "$(echo /wheel/explainer-*.whl)[${EXTRAS}]"
# Compile the kernels once, here; on a processor of another kind the first start compiles them again into the volume.
ENV NUMBA_CACHE_DIR=/var/lib/explainer/numba
RUN mkdir -p /var/lib/explainer/numba && chmod 700 /var/lib/explainer && /opt/explainer/bin/python -m explainer.attribution.trees.warm

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/explainer --shell /usr/sbin/nologin explainer
COPY --from=build /opt/explainer /opt/explainer
COPY --from=build --chown=10001:10001 /var/lib/explainer /var/lib/explainer
ENV PATH=/opt/explainer/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/var/lib/explainer/numba \
    EXPLAINER_VAR=/var/lib/explainer \
    EXPLAINER_REGISTRY=/var/lib/explainer/registry \
    EXPLAINER_HOST=0.0.0.0
USER 10001:10001
WORKDIR /var/lib/explainer
VOLUME /var/lib/explainer
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, ssl, urllib.request; tls = 'EXPLAINER_TLS_CERTIFICATE' in os.environ; urllib.request.urlopen(f\"http{'s' * tls}://127.0.0.1:{os.environ.get('EXPLAINER_PORT', '8080')}/healthz\", timeout=2, context=ssl._create_unverified_context())"]
ENTRYPOINT ["explainer"]
CMD ["serve"]
