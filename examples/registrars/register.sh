#!/bin/sh
# A registrar: reads one JSON object from stdin and prints one. It is called for each machine, in this order:
#   find         only with `find: true` in the manifest, and first: is it registered? -> {"registered": true}
#   issue_token  create a join token for the machine        -> {"tokenId": "...", "tokenExpiresAt": "..."}
#   submit       register the machine, using the token      -> {}
#   confirm      check that the machine is registered       -> {}
# A non-zero exit code means refusal, and stderr is recorded as the reason. 75 (EX_TEMPFAIL) means that nobody knows
# whether it was done, as do a signal and a timeout.
# A call may be repeated. `issue_token` and `submit` come with the same `idempotencyKey` then: do what was done already
# not again, and answer the same. `attempt` counts the calls.
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
