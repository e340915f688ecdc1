#!/bin/sh
# The CI script for one environment: `pipeline.sh plan production` on a pull request, and
# `pipeline.sh apply production` after the merge, which applies exactly the plan that was reviewed.
#
#   plan.ENVIRONMENT.json   the plan; keep it as an artifact between the two jobs
#   exit code               that of rsspot: 2 from plan means that there are changes, 6 from apply that the plan is stale
set -eu
cd "$(dirname "$0")"
action=$1
environment=$2

case $action in
    plan) rsspot ${RSSPOT_OPTIONS:-} plan "$environment" --prune --detailed-exitcode --out "plan.$environment.json" ;;
    apply) rsspot ${RSSPOT_OPTIONS:-} apply --plan "plan.$environment.json" --yes ;;
    *) echo "usage: pipeline.sh plan|apply ENVIRONMENT" >&2; exit 3 ;;
esac
