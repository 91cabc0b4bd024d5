# The gateway's image. Two stages: the first builds with docker/build.sh, the second holds what came of it and nothing
# else. Which files may come in at all is said in .dockerignore. No secret and no configuration of a county is in it.

FROM python:3.11.15-slim-bookworm AS build
# Where packages come from is the machine's affair: pip's own variable, if it is set where the image is built.
ARG PIP_INDEX_URL
ENV PREFIX=/opt/cunjing
WORKDIR /source
COPY docker/build.sh docker/
COPY requirements requirements
RUN sh docker/build.sh dependencies
COPY . .
RUN sh docker/build.sh package

FROM python:3.11.15-slim-bookworm
COPY --from=build /opt/cunjing /opt/cunjing
ENV PATH=/opt/cunjing/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# A number that no account has; docker-compose.yml puts the number of the files' owner in its place.
USER 10001:10001
WORKDIR /cunjing
EXPOSE 8080
STOPSIGNAL SIGTERM
# Alive while the loop turns, and never because of the broker: see /healthz. Not through a proxy, wherever one is set.
HEALTHCHECK --interval=10s --timeout=10s --start-period=30s --retries=3 CMD ["python", "-c", \
    "import http.client, sys; asked = http.client.HTTPConnection('127.0.0.1', 8080, timeout=5); asked.request('GET', '/healthz'); sys.exit(asked.getresponse().status != 200)"]
ENTRYPOINT ["cunjing"]
CMD ["gateway", "--config", "config/gateway.toml"]
