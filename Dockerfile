# Voice Transcriber in a container. TORCH_INDEX names the package index that torch is taken from: the
# one with the CPU build keeps the image small, one with a CUDA build is for a GPU (the addresses are on
# PyTorch's "Get started" page). Empty: whatever build pip's own index holds.
#
#   docker build --build-arg TORCH_INDEX=ADDRESS -t voice-transcriber .

FROM python:3.11-slim-bookworm AS build
ARG TORCH_INDEX=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements.txt requirements-gpu.txt constraints.txt /build/
WORKDIR /build
RUN if [ -n "$TORCH_INDEX" ]; then \
        /opt/venv/bin/pip install --no-deps --index-url "$TORCH_INDEX" "$(grep '^torch==' requirements.txt)" && \
        /opt/venv/bin/pip install --extra-index-url "$TORCH_INDEX" -r requirements.txt; \
    else \
        /opt/venv/bin/pip install -r requirements.txt; \
    fi
# openai-whisper asks for triton, 1 GB, which only a GPU has a use for; as the GPU's figures have.
RUN if /opt/venv/bin/python -c "import sys, torch; sys.exit(torch.version.cuda is None)"; then \
        /opt/venv/bin/pip install -r requirements-gpu.txt; \
    else \
        /opt/venv/bin/pip uninstall --yes triton; \
    fi

FROM python:3.11-slim-bookworm
# Threads of the numeric libraries: one for each core that the container may use is found at run
# time; these keep a library that is loaded outside the engine from taking all cores of the host.
ENV PATH="/opt/venv/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=2 \
    MKL_NUM_THREADS=2 \
    NUMBA_CACHE_DIR=/data/cache \
    DATA_DIR=/data \
    WHISPER_MODEL_DIR=/models \
    HOST=0.0.0.0 \
    PORT=5001
RUN groupadd --gid 1000 app && \
    useradd --uid 1000 --gid 1000 --create-home app && \
    install -d -o app -g app -m 0700 /data /models
COPY --from=build /opt/venv /opt/venv
COPY --chown=root:root app_main.py config.py /app/
COPY --chown=root:root voice_transcriber /app/voice_transcriber
COPY --chown=root:root templates /app/templates
COPY --chown=root:root static /app/static
WORKDIR /app
USER 1000:1000
VOLUME ["/data", "/models"]
EXPOSE 5001
# A running job has SHUTDOWN_GRACE seconds to commit the windows in work: stop with --time 45.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health/ready', timeout=4)"]
CMD ["python", "app_main.py"]
