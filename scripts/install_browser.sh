#!/bin/sh
# Chromium for the tests of the simulator's page, from the distribution's own packages. Does nothing where it is there
# already, and ends well in any case: without a browser those tests are skipped, unless CI=true.
set -eu

skipped() {
    echo "no browser: $1; the tests that need Chromium will be skipped"
    exit 0
}

if command -v chromium > /dev/null; then exit 0; fi
command -v apt-get > /dev/null || skipped "there is no apt-get to install it with"
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif sudo -n true 2> /dev/null; then
    as_root="sudo -n"
else
    skipped "installing it takes root (apt-get install chromium)"
fi

echo "installing Chromium with apt-get"
said=$(mktemp)
trap 'rm -f "$said"' EXIT
# Lists of one source that is out of reach are no reason not to try the others.
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::http::Timeout=30 update > "$said" 2>&1 || true
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::http::Timeout=30 -o DPkg::Lock::Timeout=120 \
    install --yes --no-install-recommends chromium >> "$said" 2>&1 || {
    tail -n 5 "$said" >&2
    skipped "apt-get could not install it"
}
