#!/usr/bin/env bash
# The one way from the workflows to whatever really deploys TalkStudio.
#
#   deploy/deploy.sh TARGET RELEASE [ACTION [PREVIOUS]]
#
# ACTION, and what it has to do (each must be safe to repeat: pipelines are run again):
#
#   deploy     put RELEASE on TARGET; on production beside the live release, without traffic   (the default)
#   shift      send traffic to RELEASE: all of it (blue/green), or the canary's share
#   promote    RELEASE stays: all traffic is its, and it is what `previous` prints from now on
#   rollback   all traffic back to PREVIOUS, but only while it is RELEASE that has it
#   hold       move no more traffic and take nothing down; RELEASE is `unknown` where the pipeline lost its name
#   previous   print the release to go back to, and nothing else: the one that was promoted last
#
# Environment:
#
#   DEPLOYER       the program that does it, on PATH or as a path: it is started as `DEPLOYER ACTION TARGET RELEASE
#                  [PREVIOUS]`, and says with its exit status whether that is done. Required.
#   DEPLOY_TOKEN   its credential; handed on as it is, never looked at here.
set -euo pipefail

fail() {
  echo "deploy.sh: $2" >&2
  exit "$1"
}

target=${1:-}
release=${2:-}
action=${3:-deploy}
previous=${4:-}

[[ -n $target && -n $release ]] || fail 64 'usage: deploy.sh TARGET RELEASE [ACTION [PREVIOUS]]'
for name in "$target" "$release" ${previous:+"$previous"}; do
  [[ $name =~ ^[0-9A-Za-z][0-9A-Za-z._+:@/-]*$ ]] || fail 64 'a target or a release is not written as names are'
done
case $action in
  deploy | shift | promote | hold | previous) [[ -z $previous ]] || fail 64 "$action takes no previous release" ;;
  rollback) [[ -n $previous ]] || fail 64 'rollback needs the release to go back to' ;;
  *) fail 64 "no such action: $action (deploy, shift, promote, rollback, hold, previous)" ;;
esac
[[ -n ${DEPLOYER:-} ]] || fail 78 "DEPLOYER is not set: name the program that can $action on $target (see deploy/deploy.sh)"
command -v "$DEPLOYER" >/dev/null || fail 78 "DEPLOYER names no program: $DEPLOYER"

echo "deploy.sh: $target $release: $action${previous:+ to $previous}" >&2
exec "$DEPLOYER" "$action" "$target" "$release" ${previous:+"$previous"}
