#!/usr/bin/env bash
# Makes the image python:3.11 from the Debian packages of the machine's own sources, and puts it into the registry that the Engine mirrors, so that
# `FROM python:3.11` works where no outside registry can be reached. Called by docker-up.sh: base-image.sh FOLDER REGISTRY
set -euo pipefail
folder=$1
image=python:3.11
pushed=$2/library/$image
docker=/usr/bin/docker
certificates=/etc/ssl/certs/ca-certificates.crt

# The image is made anew when this file, or what the machine trusts, has changed.
key=$(cat "${BASH_SOURCE[0]}" $certificates /etc/pip.conf 2>/dev/null | sha256sum | cut -c1-16)
if [ "$($docker image inspect -f '{{index .Config.Labels "davit.test.key"}}' $image 2>/dev/null || true)" != "$key" ]; then
  echo "base-image: making $image" >&2
  work=$(mktemp -d "$folder/base.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  root=$work/root
  # Downloaded once for all Engines of the machine.
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/davit/machine
  archive=$cache/debian-bookworm.tar
  mkdir -p "$cache"
  exec 8>"$cache/lock"
  flock 8
  if [ ! -s "$archive" ]; then
    echo "base-image: fetching Debian packages" >&2
    mmdebstrap --quiet --format=tar --variant=minbase --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
      --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
      --include=python3,python3-venv,python3-pip,python-is-python3,ca-certificates,git,procps \
      bookworm "$archive.part" >"$folder/base-image.log" 2>&1 || { tail -n 20 "$folder/base-image.log" >&2; exit 1; }
    mv "$archive.part" "$archive"
  fi
  exec 8>&-
  mkdir "$root"
  tar -C "$root" --exclude=./dev -xf "$archive"
  # Debian wants its own packages left alone; the image stands for python.org's, which has no such wish.
  rm -f "$root"/usr/lib/python3*/EXTERNALLY-MANAGED
  cp -L $certificates "$root$certificates"
  [ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$root/etc/pip.conf"
  : >"$root/etc/resolv.conf"
  settings=(--change "LABEL davit.test.key=$key" --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin LANG=C.UTF-8'
    --change "ENV PIP_CERT=$certificates REQUESTS_CA_BUNDLE=$certificates SSL_CERT_FILE=$certificates" --change 'CMD ["python3"]')
  for name in PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_DEFAULT_TIMEOUT; do
    # Never an address with a password in it.
    case ${!name:-@} in *@*) ;; *) settings+=(--change "ENV $name=${!name}") ;; esac
  done
  tar -C "$root" --numeric-owner --sort=name -cf - . | $docker import "${settings[@]}" - $image >/dev/null
  rm -f "$folder/pushed"
fi

id=$($docker image inspect -f '{{.Id}}' $image)
if [ "$(cat "$folder/pushed" 2>/dev/null)" != "$id" ]; then
  $docker tag $image "$pushed"
  $docker push --quiet "$pushed" >/dev/null
  $docker rmi "$pushed" >/dev/null
  echo "$id" >"$folder/pushed"
fi
