#!/usr/bin/env bash
# Images that the compose file and deploy/Dockerfile begin with, made of this machine's own programs and Debian packages, for where no outside registry
# can be reached: node:20-bookworm-slim, and postgres:17 (whatever version Debian has, with that image's variables). They lie in the Engine
# under those names. Needs the Engine of docker-up.sh: DOCKER_HOST.
set -euo pipefail
docker=/usr/bin/docker
# The classic builder takes base images that only the Engine has.
export DOCKER_BUILDKIT=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Is there one already, made by this very file?
key=$(cat "${BASH_SOURCE[0]}" | sha256sum | cut -c1-16)
there() { [ "$($docker image inspect -f '{{index .Config.Labels "davit.test.key"}}' "$1" 2>/dev/null || true)" = "$key" ]; }
make() { there "$1" || { echo "stand-ins: making $1" >&2; $docker build --quiet --label "davit.test.key=$key" --tag "$1" "${@:3}" "$2" >/dev/null; }; }

# npm lies beside Node's program, or wherever a version manager or a setting has put it.
find_npm() {
  local place
  for place in "$(dirname "$1")/../lib/node_modules/npm" "$(dirname "${npm_execpath:-none}")/.." \
    "$(dirname "$(readlink -f "$(command -v npm)")")/.." "$(npm root --global 2>/dev/null)/npm"; do
    # Not one that a distribution has taken apart.
    [ ! -f "$place/bin/npm-cli.js" ] || [ ! -d "$place/node_modules" ] || { readlink -f "$place"; return; }
  done
  echo "stand-ins: no npm found beside $1, on PATH or among npm's own packages" >&2
  return 1
}

mkdir "$work/node" "$work/postgres"
if ! there node:20-bookworm-slim; then
  program=$("${NODE:-node}" -p process.execPath)
  npm=$(find_npm "$program")
  registry=$(npm config get registry 2>/dev/null || true)
  # Never an address with a password in it.
  case $registry in https://*@* | http://*@* | '' | undefined) registry=https://registry.npmjs.org/ ;; esac
  mkdir -p "$work/node/bin" "$work/node/lib/node_modules"
  cp "$program" "$work/node/bin/node"
  cp -a "$npm" "$work/node/lib/node_modules/npm"
  cat >"$work/node/Dockerfile" <<'END'
FROM python:3.11
ARG REGISTRY
COPY . /usr/local/
# What the real one does not have must not be found here either; and it does not wait for the disk after each package.
RUN echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/speedup \
  && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
  && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \
  && apt-get purge -y --auto-remove git python3 python3-pip python3-venv python-is-python3 procps >/dev/null \
  && groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt npm_config_registry=$REGISTRY
CMD ["node"]
END
  make node:20-bookworm-slim "$work/node" --build-arg "REGISTRY=$registry"
fi

cat >"$work/postgres/start" <<'END'
#!/bin/sh
# Makes the database at the first start, as the image of PostgreSQL does, and becomes the server.
set -eu
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  install -d -o postgres -g postgres -m 700 "$PGDATA"
  : "${POSTGRES_PASSWORD:?is not set}"
  echo "$POSTGRES_PASSWORD" > /tmp/password
  chown postgres /tmp/password
  setpriv --reuid postgres --regid postgres --clear-groups initdb -D "$PGDATA" -U "$POSTGRES_USER" --pwfile /tmp/password -A scram-sha-256 --locale C.UTF-8 >/dev/null
  rm /tmp/password
  echo "local all all trust
host all all all scram-sha-256" > "$PGDATA/pg_hba.conf"
  setpriv --reuid postgres --regid postgres --clear-groups pg_ctl -D "$PGDATA" -w -o "-c listen_addresses=''" start >/dev/null
  setpriv --reuid postgres --regid postgres --clear-groups createdb -U "$POSTGRES_USER" "$POSTGRES_DB"
  setpriv --reuid postgres --regid postgres --clear-groups pg_ctl -D "$PGDATA" -w stop >/dev/null
fi
exec setpriv --reuid postgres --regid postgres --clear-groups postgres -D "$PGDATA" -c listen_addresses='*'
END
chmod 755 "$work/postgres/start"
cat >"$work/postgres/Dockerfile" <<'END'
FROM python:3.11
RUN echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/speedup && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null \
  && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/* && install -d -o postgres -g postgres /var/lib/postgresql/data /var/run/postgresql \
  && for program in pg_isready pg_dump pg_restore psql; do ln -sf /usr/lib/postgresql/*/bin/$program /usr/local/bin/$program; done
COPY start /usr/local/bin/start
ENV PGDATA=/var/lib/postgresql/data
# Ends at once; by TERM it would wait for its clients to go.
STOPSIGNAL SIGINT
ENTRYPOINT ["start"]
END
make postgres:17 "$work/postgres"
