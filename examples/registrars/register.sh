#!/bin/sh
# A registrar: reads one JSON object, prints one. It is asked three things about each machine, in this order:
#   issue_token  make a join token for the machine     -> {"tokenId": "...", "tokenExpiresAt": "..."}
#   submit       hand the machine over with the token  -> {}
#   confirm      is the machine known now?             -> {}
# Ending with another code than 0 means "no"; what was written to standard error is kept as the reason.
# `registrationKey` is the same for a machine on every try, so asking twice must do no harm.
set -eu
question=$(cat)

field() {
    printf '%s' "$question" | sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"
}

case $(field ask) in
    issue_token) printf '{"tokenId": "token-%s"}\n' "$(field registrationKey | cut -c1-8)" ;;
    submit | confirm) printf '{}\n' ;;
    *) echo "unknown question" >&2; exit 1 ;;
esac
