# The images of docker-compose.temporal.yml: `scorer` (Node only), `worker` (Node and the trainer's Python), `mlflow` (the same Python).
# docker build --target worker --build-arg GIT_SHA=$(git rev-parse HEAD) .

FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
# its install script would fetch GPU libraries from outside; the CPU library is in the package
ENV ONNXRUNTIME_NODE_INSTALL=skip
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:20.20.2-bookworm-slim AS python
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv libgomp1 \
 && rm -rf /var/lib/apt/lists/*
COPY training/requirements.lock training/postgres.lock stack/install/uv.lock /tmp/locks/
RUN python3 -m venv /opt/python \
 && /opt/python/bin/pip install --no-cache-dir --require-hashes --requirement /tmp/locks/uv.lock \
 && /opt/python/bin/uv pip install --no-cache --python /opt/python/bin/python --require-hashes --requirement /tmp/locks/requirements.lock --requirement /tmp/locks/postgres.lock

FROM node:20.20.2-bookworm-slim AS scorer
WORKDIR /app
ARG GIT_SHA=""
ENV NODE_ENV=production SLUICE_GIT_SHA=$GIT_SHA SLUICE_STATE_DIR=/var/lib/sluice/state
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/schemas schemas
COPY --from=build /app/models models
# named volumes take their first content and owner from these
RUN for directory in state reports signing trust; do install -d -o node -g node -m 0700 /var/lib/sluice/$directory; done
USER node
EXPOSE 8080
CMD ["node", "--enable-source-maps", "dist/scoring/main.js"]

FROM scorer AS worker
USER root
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 libgomp1 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=python /opt/python /opt/python
COPY --from=build /app/training training
ENV SLUICE_PYTHON=/opt/python/bin/python SLUICE_REPORTS_DIR=/var/lib/sluice/reports
USER node
EXPOSE 9464
CMD ["node", "--enable-source-maps", "dist/workers/release/main.js"]

FROM python AS mlflow
ENV MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false
USER node
WORKDIR /home/node
EXPOSE 5000
CMD ["/opt/python/bin/mlflow", "server", "--host", "0.0.0.0", "--port", "5000"]
