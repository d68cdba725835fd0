#!/bin/sh
# Builds dist/telemetry-gateway_VERSION_ARCH.deb for Debian 12:  tools/deb.sh [amd64|arm64]
# It needs nothing of the architecture that it is for: the virtual environment is laid out by hand around that architecture's
# wheels (requirements/runtime.lock holds their hashes), and its Python is Debian's. DEB_VERSION: instead of the project's.
set -eu
cd "$(dirname "$0")/.."
arch=${1:-$(dpkg --print-architecture)}
case $arch in
    amd64) machine=x86_64 ;;
    arm64) machine=aarch64 ;;
    *) echo "There are wheels for amd64 and arm64, not for $arch." >&2; exit 2 ;;
esac
python=$PWD/.venv/bin/python
version=${DEB_VERSION:-$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)}
wheel=$(ls -t dist/telemetry_gateway-*.whl | head -n 1)
build=$PWD/dist/deb-$arch
tree=$build/source
home=$tree/root/usr/lib/telemetry-gateway
site=$home/lib/python3.11/site-packages

pip() {
    "$python" -m pip -qq --disable-pip-version-check "$@" --only-binary=:all: --python-version 3.11 \
        --implementation cp --abi cp311 --abi abi3 --abi none \
        --platform "manylinux2014_$machine" --platform "manylinux_2_17_$machine" --platform "manylinux_2_28_$machine"
}

lay_out_environment() {
    mkdir -p "$build/wheels" "$home/bin" "$site"
    pip download --no-deps --require-hashes -r requirements/runtime.lock --dest "$build/wheels"
    pip install --no-index --find-links "$build/wheels" --no-compile --target "$site" "$wheel"
    rm -rf "$site/bin" "$site/include" "$site/greenlet/tests"
    rm "$site"/telemetry_gateway-*.dist-info/direct_url.json  # where the wheel was at the build
    # Packages of one's own, adapters and models: pip install --target /usr/local/lib/telemetry-gateway …
    echo /usr/local/lib/telemetry-gateway > "$site/local.pth"
    printf 'home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11\n' > "$home/pyvenv.cfg"
    ln -s ../../../bin/python3.11 "$home/bin/python3"
    write_command gatewayd gateway.__main__
    write_command gatewayctl gateway.cli
}

write_command() {  # NAME MODULE: -I, so that nobody's PYTHONPATH takes the place of a library
    printf '#!/usr/lib/telemetry-gateway/bin/python3 -I\nimport sys\n\nfrom %s import main\n\nsys.exit(main())\n' "$2" \
        > "$home/bin/$1"
    chmod 755 "$home/bin/$1"
    mkdir -p "$tree/root/usr/bin"
    ln -s "../lib/telemetry-gateway/bin/$1" "$tree/root/usr/bin/$1"
}

add_configuration() {
    mkdir -p "$tree/root/etc/telemetry-gateway"
    .venv/bin/gatewayctl config sample --service > "$tree/root/etc/telemetry-gateway/gateway.toml"
}

add_completion() {
    folder=$tree/root/usr/share/bash-completion/completions
    mkdir -p "$folder"
    _GATEWAYD_COMPLETE=bash_source .venv/bin/gatewayd > "$folder/gatewayd"
    _GATEWAYCTL_COMPLETE=bash_source .venv/bin/gatewayctl > "$folder/gatewayctl"
}

add_debian() {
    cp -r packaging/debian "$tree/debian"
    for kind in service sysusers tmpfiles udev; do
        cp "systemd/telemetry-gateway.$kind" "$tree/debian/telemetry-gateway.$kind"
    done
    mkdir "$tree/doc" "$tree/examples"
    cp -r README.md docs "$tree/doc"
    # What isn't in the package is named there, and not linked; the examples are beside the pages.
    find "$tree/doc" -name '*.md' -exec sed -i -E -e 's#config/examples/#examples/#g' \
        -e 's#\[([^]]+)\]\((\.\./(\.\.|bench|gateway|tests)/|bench/|CHANGELOG|CONTRIBUTING|LICENSE)[^)]*\)#\1#g' {} +
    cp config/examples/* "$tree/examples"
    cp CHANGELOG.md "$tree/CHANGELOG.md"
    printf 'telemetry-gateway (%s) bookworm; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- %s  %s\n' "$version" \
        "$(sed -n 's/^Maintainer: //p' packaging/debian/control)" "$(date -R -d "@$SOURCE_DATE_EPOCH")" \
        > "$tree/debian/changelog"
}

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
rm -rf "$build"
lay_out_environment
add_configuration
add_completion
add_debian
(cd "$tree" && dpkg-buildpackage --build=binary --no-sign --no-check-builddeps --host-arch="$arch" >../build.log 2>&1) \
    || { tail -n 40 "$build/build.log" >&2; exit 1; }
mv "$build/telemetry-gateway_${version}_$arch.deb" dist/
rm -rf "$build"
echo "dist/telemetry-gateway_${version}_$arch.deb"
