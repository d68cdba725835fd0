#!/bin/sh
# Resolves requirements/*.lock from pyproject.toml: hashes of all files of each release (every platform and Python), and
# no address, so that a lock file works with any registry. dev.lock decides; the others are parts of it.
set -eu
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check pip-tools

compile() {
    CUSTOM_COMPILE_COMMAND="make lock" "$tools/bin/pip-compile" --quiet --upgrade --allow-unsafe --generate-hashes \
        --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-annotate "$@"
}
dev=requirements/dev.lock
compile --output-file=$dev --all-extras --build-deps-for=editable pyproject.toml
compile --output-file=requirements/runtime.lock --constraint=$dev --build-deps-for=editable pyproject.toml
compile --output-file=requirements/demo.lock --constraint=$dev --extra=demo pyproject.toml
compile --output-file=requirements/nodejs.lock requirements/nodejs.in
