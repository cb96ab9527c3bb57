#!/usr/bin/env bash
# Tells GitHub what became of a deployment: the mark at the commit, and the entry of its environment.
#
#   deploy/github_deployment.sh begin DEPLOYMENT RELEASE     in_progress; prints the id of the deployment
#   deploy/github_deployment.sh end ID ACTION VERDICT TEXT   success, failure or error, and the text (140 characters of it)
#
# DEPLOYMENT is the id of one that there is already, or the name of an environment in which to create one for
# RELEASE, at the commit that it is, or else at the workflow's.
#
#   success   promoted
#   failure   the release is broken (the verdict is fail)
#   error     nobody can tell: everything else
#
# Environment, all of it GitHub's own:
#
#   GITHUB_TOKEN        with the permission `deployments: write`. Required.
#   GITHUB_REPOSITORY   OWNER/NAME. Required.
#   GITHUB_API_URL, GITHUB_SERVER_URL, GITHUB_RUN_ID
set -euo pipefail

fail() {
  echo "github_deployment.sh: $2" >&2
  exit "$1"
}

# A JSON string, without what a terminal or a log would obey.
quoted() {
  local text=${1//[[:cntrl:]]/ }
  text=${text//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

post() {
  curl --config - --fail-with-body --silent --show-error --max-time 20 --retry 3 --request POST \
    --header 'Accept: application/vnd.github+json' --header 'X-GitHub-Api-Version: 2022-11-28' --data "$2" \
    "${GITHUB_API_URL:-https://api.github.com}/repos/$GITHUB_REPOSITORY/deployments$1" \
    <<<"header = \"Authorization: Bearer $GITHUB_TOKEN\""
}

status() {
  local log="${GITHUB_SERVER_URL:-https://github.com}/$GITHUB_REPOSITORY/actions/runs/${GITHUB_RUN_ID:-0}"
  post "/$1/statuses" "{\"state\": \"$2\", \"description\": $(quoted "${3:0:140}"), \"log_url\": $(quoted "$log")}" >/dev/null
}

begin() {
  local id=$1 ref=${2:-} created
  [[ -n $id ]] || fail 64 'usage: github_deployment.sh begin DEPLOYMENT RELEASE'
  if [[ ! $id =~ ^[0-9]+$ ]]; then
    # Nothing is merged, and no check of the commit is waited for: it is deployed already.
    [[ $ref =~ ^[0-9a-f]{40}$ ]] || ref=${GITHUB_SHA:-}
    created=$(post '' "{\"ref\": $(quoted "$ref"), \"environment\": $(quoted "$id"), \"auto_merge\": false, \
\"required_contexts\": [], \"description\": $(quoted "${2:-whatever is live}")}")
    id=$(python3 -c 'import json, sys; print(int(json.load(sys.stdin)["id"]))' <<<"$created")
  fi
  echo "$id"
  status "$id" in_progress 'being verified'
}

end() {
  local state=error
  [[ $1 =~ ^[0-9]+$ ]] || fail 64 'usage: github_deployment.sh end ID ACTION VERDICT TEXT'
  case "$2:$3" in
    promote:pass) state=success ;;
    *:fail) state=failure ;;
  esac
  status "$1" "$state" "$4"
}

[[ -n ${GITHUB_TOKEN:-} && -n ${GITHUB_REPOSITORY:-} ]] || fail 78 'GITHUB_TOKEN and GITHUB_REPOSITORY are not set'
case "${1:-}" in
  begin) begin "${2:-}" "${3:-}" ;;
  end) end "${2:-}" "${3:-}" "${4:-}" "${5:-}" ;;
  *) fail 64 'usage: github_deployment.sh begin|end ...' ;;
esac
