#!/bin/sh
# Installs PostgreSQL for the tests of shared ledgers, from the distribution's packages, unless it is installed. The tests
# start servers of their own in temporary folders, and use no other one. Always exits with 0: without the programs those
# tests are skipped, unless CI=true. RSSPOT_NO_POSTGRES=1: installs nothing, and the tests are skipped in CI too.
set -eu
. "${0%/*}/install_package.sh"

if [ -z "${RSSPOT_NO_POSTGRES:-}" ]; then
    if command -v initdb > /dev/null; then exit 0; fi
    for program in /usr/lib/postgresql/*/bin/initdb; do
        if [ -x "$program" ]; then exit 0; fi
    done
fi
install_package "PostgreSQL" "the tests of shared ledgers need PostgreSQL" postgresql RSSPOT_NO_POSTGRES \
    "the tests that need a server"
