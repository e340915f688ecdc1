#!/bin/sh
# A demo in a temporary sandbox: plan, apply, an empty plan, drift and the plan that corrects it, the ledger.
set -eu
cd "$(dirname "$0")/.."
RSSPOT_SANDBOX=$(mktemp -d)
export RSSPOT_SANDBOX
trap 'rm -rf "$RSSPOT_SANDBOX"' EXIT

say() {
    printf '\n\033[1m$ rsspot --sandbox %s\033[0m\n' "$*"
    rsspot --sandbox "$@"
}

say plan manifests/
say apply manifests/ --yes
say plan manifests/
printf '\nSomebody raises a bid by hand:\n'
say spotnodepools patch workers '{"bidPrice": "0.08"}'
say plan manifests/
say ledger show
