#!/usr/bin/env bash
# Images that the compose file and deploy/Dockerfile begin with, made of this machine's own programs and Debian packages, for where no outside registry
# can be reached: node:20-bookworm-slim, and postgres:17 (whatever version Debian has, with that image's variables). They lie in the Engine
# under those names. Needs the Engine of docker-up.sh: DOCKER_HOST.
set -euo pipefail
docker=/usr/bin/docker
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Is there one already, made by this very file?
key=$(cat "${BASH_SOURCE[0]}" | sha256sum | cut -c1-16)
there() { [ "$($docker image inspect -f '{{index .Config.Labels "davit.test.key"}}' "$1" 2>/dev/null || true)" = "$key" ]; }
make() { there "$1" || { echo "stand-ins: making $1" >&2; $docker build --quiet --label "davit.test.key=$key" --tag "$1" "$2" >/dev/null; }; }

mkdir "$work/node" "$work/postgres"
if ! there node:20-bookworm-slim; then
  program=$(node -p process.execPath)
  npm=$(readlink -f "$(dirname "$program")/../lib/node_modules/npm")
  mkdir -p "$work/node/bin" "$work/node/lib/node_modules"
  cp "$program" "$work/node/bin/node"
  cp -a "$npm" "$work/node/lib/node_modules/npm"
  cat >"$work/node/Dockerfile" <<'END'
FROM python:3.11
COPY . /usr/local/
# What the real one does not have must not be found here either.
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
  && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \
  && apt-get purge -y --auto-remove git python3 python3-pip python3-venv python-is-python3 procps >/dev/null \
  && groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
CMD ["node"]
END
  make node:20-bookworm-slim "$work/node"
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
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null \
  && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/* && install -d -o postgres -g postgres /var/lib/postgresql/data /var/run/postgresql \
  && for program in pg_isready pg_dump pg_restore psql; do ln -sf /usr/lib/postgresql/*/bin/$program /usr/local/bin/$program; done
COPY start /usr/local/bin/start
ENV PGDATA=/var/lib/postgresql/data
ENTRYPOINT ["start"]
END
make postgres:17 "$work/postgres"
