#!/bin/sh
# A registrar: reads one JSON object from stdin and prints one. It is called for each machine, in this order:
#   find         only with `find: true` in the manifest, and first: is it registered? -> {"registered": true}
#   issue_token  create a join token for the machine        -> {"tokenId": "...", "tokenExpiresAt": "..."}
#   submit       register the machine, using the token      -> {}
#   confirm      check that the machine is registered       -> {}
# A non-zero exit code means failure; stderr is recorded as the reason.
# A call may be repeated, with the same `registrationKey` for the same machine, so every call must be idempotent.
set -eu
question=$(cat)

field() {
    printf '%s' "$question" | sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"
}

case $(field ask) in
    issue_token) printf '{"tokenId": "token-%s"}\n' "$(field registrationKey | cut -c1-8)" ;;
    find) printf '{"registered": false}\n' ;;
    submit | confirm) printf '{}\n' ;;
    *) echo "unknown question" >&2; exit 1 ;;
esac
