#!/bin/sh
# Makes sure that programs are there:  tools/apt.sh 'PROGRAM=PACKAGE …' …
# Installs the Debian packages of those that are missing where it may (root), else says what to type, and fails.
set -eu
PATH=$PATH:/usr/sbin:/sbin

missing=
for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || missing="$missing ${pair#*=}"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Debian packages are missing here. Please type:" >&2
    echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q </dev/null
# shellcheck disable=SC2086  # one word a package
apt-get install -y -q --no-install-recommends $missing </dev/null
