#!/usr/bin/env bash
# Runs `postdeploy verify` and leaves its exit status to later steps.
#
#   deploy/verify.sh TARGET [RELEASE] [-- OPTIONS]     without RELEASE: whatever is live, as in synthetic monitoring
#
# OPTIONS are further ones of `postdeploy verify`.
#
# The exit status is the verifier's own: 0 promote, 20 roll back, anything else hold. A later step of a workflow sees
# only that this one failed, not with which number, so the number is also written to $GITHUB_OUTPUT as `status`.
# A step that was killed writes nothing: whoever reads it must take an empty status for hold.
#
# A cancelled job signals this process alone (SIGINT, SIGTERM 7.5 s later, SIGKILL 2.5 s after that). A shell that waits
# for a foreground program would sit on those signals; this one passes them on, and the verifier seals what it has.
#
# Environment:
#
#   REPORTS           the folder for the reports                               (reports)
#   RUN_ID            names the run; the gate asks for the same name           (made up by postdeploy)
#   VERDICT_SIGNING_KEY   the private key that the verifier signs with         (not signed)
#   VERIFY_DEADLINE   what the verifier may take                               (5m)
#   VERIFY_LIMIT      when it is asked to end, whatever it does                (2m after its deadline: 7m)
#   VERIFY_GRACE      how long after that it is killed                         (20s)
set -euo pipefail

# The environment that a process was started with stays readable, so this one is replaced by one that never had the key:
# the verifier reads it from a descriptor, once, before there is anyone else to read it.
if [[ -n ${VERDICT_SIGNING_KEY:-} ]]; then
  exec 3< <(printf '%s\n' "$VERDICT_SIGNING_KEY")
  exec env -u VERDICT_SIGNING_KEY VERDICT_KEY_DESCRIPTOR=3 "${BASH_SOURCE[0]}" "$@"
fi

words=() options=()
while (($#)) && [[ $1 != -- ]]; do
  words+=("$1")
  shift
done
(($# == 0)) || options=("${@:2}")
set -- "${words[@]}"

if (($# < 1 || $# > 2)) || [[ -z $1 ]]; then
  echo 'verify.sh: usage: verify.sh TARGET [RELEASE] [-- OPTIONS]' >&2
  exit 64
fi
if (($# == 2)) && [[ -z $2 ]]; then
  echo 'verify.sh: the release is empty; verifying whatever is live would prove nothing about it' >&2
  exit 64
fi

arguments=("$1" --deadline "${VERIFY_DEADLINE:-5m}" --reports "${REPORTS:-reports}")
[[ $# -lt 2 ]] || arguments+=(--release "$2")
[[ -z ${RUN_ID:-} ]] || arguments+=(--run-id "$RUN_ID")
[[ -z ${VERDICT_KEY_DESCRIPTOR:-} ]] || arguments+=(--sign-key "/dev/fd/$VERDICT_KEY_DESCRIPTOR")
arguments+=("${options[@]}")

# A launcher that hangs is not waited for; one that does its work ends well before this.
limit() {
  local seconds=300
  if [[ ${VERIFY_DEADLINE:-5m} =~ ^([0-9]{1,9})(\.[0-9]+)?(ms|s|m|h)?$ ]]; then
    local whole=$((10#${BASH_REMATCH[1]} + (${#BASH_REMATCH[2]} > 0)))
    case ${BASH_REMATCH[3]} in
      ms) seconds=$((whole / 1000 + 1)) ;;
      m) seconds=$((whole * 60)) ;;
      h) seconds=$((whole * 3600)) ;;
      *) seconds=$whole ;;
    esac
  fi
  echo "$((seconds + 120))s"
}

signalled=
pass_on() {
  signalled=yes
  [[ -z ${!:-} ]] || kill -TERM "$!" 2>/dev/null || true
}
trap pass_on INT TERM HUP

timeout --verbose --kill-after="${VERIFY_GRACE:-20s}" "${VERIFY_LIMIT:-$(limit)}" postdeploy verify "${arguments[@]}" &
verifier=$!
[[ -z $signalled ]] || pass_on # a signal came before there was anyone to pass it on to

while true; do
  signalled=
  status=0
  wait "$verifier" || status=$?
  [[ -n $signalled ]] || break # a signal cuts `wait` short: the verifier is still sealing its verdict
done

[[ -z ${GITHUB_OUTPUT:-} ]] || echo "status=$status" >>"$GITHUB_OUTPUT"
exit "$status"
