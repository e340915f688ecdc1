#!/bin/sh
# Installs Chromium for the tests of the simulator's page, from the distribution's packages, unless it is installed.
# Always exits with 0: without a browser those tests are skipped, unless CI=true. RSSPOT_NO_BROWSER=1: installs nothing,
# and the tests are skipped in CI too.
set -eu

skipped() {
    echo "no browser: $1; the tests that need Chromium will be skipped"
    exit 0
}

if [ -n "${RSSPOT_NO_BROWSER:-}" ]; then skipped "RSSPOT_NO_BROWSER is set"; fi
if command -v chromium > /dev/null; then exit 0; fi
command -v apt-get > /dev/null || skipped "there is no apt-get to install it with"
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo > /dev/null; then
    echo "the tests of the simulator's page need Chromium: trying to install it with 'sudo -n apt-get' (RSSPOT_NO_BROWSER=1"
    echo "prevents this)"
    sudo -n true 2> /dev/null || skipped "sudo asks for a password"
    as_root="sudo -n"
else
    skipped "installing it takes root (apt-get install chromium)"
fi

echo "installing Chromium with apt-get"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Ignore a failed update: one unreachable source does not prevent the installation from another.
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::http::Timeout=30 update > "$log" 2>&1 || true
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::http::Timeout=30 -o DPkg::Lock::Timeout=120 \
    install --yes --no-install-recommends chromium >> "$log" 2>&1 || {
    tail -n 5 "$log" >&2
    skipped "apt-get could not install it"
}
