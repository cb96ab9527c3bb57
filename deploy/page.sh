#!/usr/bin/env bash
# Tells whoever is on call.
#
#   deploy/page.sh TEXT
#
# Environment:
#
#   PAGE_WEBHOOK   an https address that takes {"text": "..."}, as Slack's and Mattermost's do. Required.
set -euo pipefail

text=${1:?usage: page.sh TEXT}
if [[ -z ${PAGE_WEBHOOK:-} ]]; then
  echo 'page.sh: PAGE_WEBHOOK is not set, so nobody was paged (see the head of deploy/page.sh)' >&2
  exit 78
fi

text=${text//[[:cntrl:]]/ }
text=${text//\\/\\\\}
text=${text//\"/\\\"}
# The address is a credential, so it goes through standard input: arguments can be read by every process.
curl --config - --fail --silent --show-error --max-time 20 --retry 3 --output /dev/null \
  --header 'Content-Type: application/json' --data "{\"text\": \"$text\"}" <<<"url = \"$PAGE_WEBHOOK\""
