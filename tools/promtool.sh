#!/bin/sh
# Puts promtool, which checks /metrics in a test, into the environment (VENV, else .venv): out of Debian's package of Prometheus,
# which isn't installed, as it would start a server and wants a dozen other packages. Where it can't be had, that test is skipped.
set -eu
cd "$(dirname "$0")/.."
command -v promtool >/dev/null && exit 0
promtool=${VENV:-.venv}/bin/promtool
[ -x "$promtool" ] && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
[ "$(id -u)" != 0 ] || apt-get update -q </dev/null >/dev/null 2>&1 || true
if (cd "$work" && apt-get download -q prometheus && dpkg-deb --fsys-tarfile prometheus_*.deb >data.tar) >/dev/null 2>&1; then
    tar -xf "$work/data.tar" -C "$work" ./usr/bin/promtool
    mv "$work/usr/bin/promtool" "$promtool"
else
    echo "promtool can't be had here, and a test of /metrics is skipped: sudo apt-get install prometheus, or don't mind" >&2
fi
