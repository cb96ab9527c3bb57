#!/usr/bin/env bash
# A whole release, for any pipeline that can run bash: deploy, shift, verify, then promote, roll back or hold.
#
#   deploy/release.sh TARGET RELEASE
#
# The exit status: 0 promoted, 20 rolled back and the previous release works, 10 on hold and someone is paged.
#
# Told to end (SIGINT, SIGTERM, SIGHUP), it lets the verifier seal, and holds; a failure that is confirmed by then is
# still rolled back, and no act of the deployer is cut off.
#
# Environment, beside that of deploy.sh, verify.sh and page.sh:
#
#   VERIFY_TARGET   what is verified before promotion: a canary's own address is a target of its own   (TARGET)
set -euo pipefail

target=${1:?usage: release.sh TARGET RELEASE}
release=${2:?usage: release.sh TARGET RELEASE}
verified=${VERIFY_TARGET:-$target}
reports=${REPORTS:-reports}
scripts=$(dirname "$0")

say() {
  echo "release.sh: $*" >&2
}

told='' verifier=''
end() {
  told=yes
  [[ -z $verifier ]] || kill -TERM "$verifier" 2>/dev/null || true
}
trap end INT TERM HUP

# In the background, because a shell that waits for a foreground program hears no signal; sets `status`.
verify() {
  RUN_ID=$1 REPORTS=$2 "$scripts/verify.sh" "$3" "$4" &
  verifier=$!
  while true; do
    status=0
    wait "$verifier" || status=$?
    kill -0 "$verifier" 2>/dev/null || break # a signal cuts `wait` short
  done
  verifier=''
  say "verify $3 $4${5:-}: $status"
}

hold() {
  say "hold: $1"
  "$scripts/deploy.sh" "$target" "$release" hold || true
  "$scripts/page.sh" "$target is on hold at $release: $1" || true
  exit 10
}

previous=$("$scripts/deploy.sh" "$target" "$release" previous) || previous=
[[ -n $previous ]] || hold 'the release to go back to is not known, so nothing was deployed'

run=$(postdeploy gate begin --target "$verified" --release "$release" --reports "$reports") || hold 'no run could be begun'
rm -rf "${reports:?}/rollback" # what an earlier release was rolled back for

"$scripts/deploy.sh" "$target" "$release" || hold 'deploying failed'
"$scripts/deploy.sh" "$target" "$release" shift || hold 'shifting traffic failed'

[[ -z $told ]] || hold 'told to end before verification began'

verify "$run" "$reports" "$verified" "$release"

case $status in
  0)
    gate=0
    postdeploy gate check --target "$verified" --release "$release" --run-id "$run" --rc "$status" --max-age 15m \
      --verdict "$reports/verdict.json" || gate=$?
    say "gate: $gate"
    [[ $gate == 0 ]] || hold "the gate refused with $gate"
    [[ -z $told ]] || hold 'told to end before promotion'
    "$scripts/deploy.sh" "$target" "$release" promote || hold 'promoting failed'
    ;;
  20)
    "$scripts/deploy.sh" "$target" "$release" rollback "$previous" || hold "rolling back to $previous failed"
    verify "$run-rollback" "$reports/rollback" "$target" "$previous" ' after the rollback'
    [[ $status == 0 ]] || hold "rolled back, and verifying $previous ended with $status"
    exit 20
    ;;
  *) hold "verification ended with $status" ;;
esac
