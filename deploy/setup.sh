#!/bin/sh
# What an installation has besides its parts: a key for the agent, and a first queue. Changes nothing that is there already.
set -eu
umask 077
keys="$DAVIT_HOME/keys"
DAVIT_API_KEY=$(cat "$keys/admin")
export DAVIT_API_KEY

if [ ! -s "$keys/agent" ]; then
  davit keys create --kind agent --description "agent of the compose file" > "$keys/agent.new"
  mv "$keys/agent.new" "$keys/agent"
fi
if ! davit queue show default > /dev/null 2>&1; then
  davit queue create default --target docker --description "containers on this machine"
fi
