#!/bin/sh
# Prints the secrets of a new installation, for the file .env beside docker-compose.yml:
#
#   sh deploy/new-env.sh > .env
#
# Made once and kept: without POSTGRES_PASSWORD the database does not open, without DAVIT_SECRET_KEYS the secrets in it do not.
set -eu
hex() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }
socket=${DOCKER_SOCKET:-/var/run/docker.sock}

echo "POSTGRES_PASSWORD=$(hex 24)"
echo "DAVIT_SECRET_KEYS=k1:$(head -c 32 /dev/urandom | base64 | tr -d '\n')"
# Who may use the Docker Engine: the agent, which is not root, gets this group.
if [ -S "$socket" ]; then
  echo "DOCKER_SOCKET=$socket"
  echo "DOCKER_GID=$(stat -c %g "$socket" 2> /dev/null || stat -f %g "$socket")"
fi
