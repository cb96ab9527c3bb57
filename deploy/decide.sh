#!/usr/bin/env bash
# What a GitHub step says about a verification: outputs, job summary, annotations.
#
#   deploy/decide.sh begin     before the verifier starts: a verdict that says hold, whatever becomes of it
#   deploy/decide.sh end       after it, however it ended
#
# The action follows from the verifier's exit status and from the sealed verdict; where they do not agree, it is hold.
#
# Environment:
#
#   STATUS    the verifier's exit status, from its step's outputs; empty if it was killed
#   FAIL      "false": exit with 0 whatever the action is                       (true: exit with 1 unless it is promote)
#   REPORTS   where the reports are                                             (reports)
set -euo pipefail

reports=${REPORTS:-reports}
verdict=$reports/verdict.json
output=${GITHUB_OUTPUT:-/dev/stdout}
summary=${GITHUB_STEP_SUMMARY:-/dev/null}

begin() {
  mkdir -p "$reports"
  rm -f "$reports"/{summary.md,annotations.txt,report.html,junit.xml}
  cat >"$verdict" <<'JSON'
{
 "schema": "postdeploy/verdict/1",
 "state": "started",
 "verdict": "inconclusive",
 "reason": "incomplete",
 "action": "hold",
 "summary": "the verifier has not started"
}
JSON
}

# Prints verdict, action and reason if the file holds a sealed verdict, each a word of ours.
sealed() {
  python - "$verdict" <<'PYTHON'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    document = json.load(file)
words = [document[key] for key in ("verdict", "action", "reason")]
if document["state"] != "sealed" or not all(word.replace("_", "").isalpha() for word in words):
    sys.exit(1)
print(*words)
PYTHON
}

end() {
  local action=hold found=inconclusive decided=hold reason=incomplete words
  if words=$(sealed 2>/dev/null) && [[ $words == *' '*' '* ]]; then
    read -r found decided reason <<<"$words"
  fi
  case "${STATUS:-}:$found:$decided" in
    0:pass:promote) action=promote ;;
    20:fail:rollback) action=rollback ;;
    0:* | 20:* | *:pass:*) found=inconclusive reason=incomplete ;; # what does not agree proves nothing
  esac
  {
    echo "verdict=$found"
    echo "action=$action"
    echo "reason=$reason"
    echo "verdict-path=$verdict"
    echo "verdict-sha256=$(sha256sum "$verdict" 2>/dev/null | cut -d ' ' -f 1 || true)"
    echo "report-path=$([[ ! -f $reports/report.html ]] || echo "$reports/report.html")"
  } >>"$output"
  tell "$action" "$reason"
  [[ $action == promote || ${FAIL:-true} == false ]]
}

tell() {
  if [[ -s $reports/summary.md ]]; then
    cat "$reports/summary.md" >>"$summary"
  else
    echo "## $1 ($2, exit status ${STATUS:-none})" >>"$summary"
  fi
  if [[ -s $reports/annotations.txt ]]; then
    cat "$reports/annotations.txt"
  elif [[ $1 != promote ]]; then
    echo "::error title=postdeploy::$1 ($2, exit status ${STATUS:-none})"
  fi
}

case "${1:-}" in
  begin) begin ;;
  end) end ;;
  *) echo 'decide.sh: usage: decide.sh begin|end' >&2 && exit 64 ;;
esac
