#!/bin/sh
# Installs Chromium for the tests of the simulator's page, from the distribution's packages, unless it is installed.
# Always exits with 0: without a browser those tests are skipped, unless CI=true. RSSPOT_NO_BROWSER=1: installs nothing,
# and the tests are skipped in CI too.
set -eu
. "${0%/*}/install_package.sh"

if [ -z "${RSSPOT_NO_BROWSER:-}" ] && command -v chromium > /dev/null; then exit 0; fi
install_package "browser" "the tests of the simulator's page need Chromium" chromium RSSPOT_NO_BROWSER \
    "the tests that need Chromium"
