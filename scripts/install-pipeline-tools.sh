#!/usr/bin/env bash
# Installs what runs the pipelines of other systems in tests: gitlab-ci-local (npm), Ansible (pip), rsync, Groovy and
# systemd-analyze (apt).
set -euo pipefail

bin=${1:?usage: install-pipeline-tools.sh BIN}
tools=$(dirname "$bin")/pipeline-tools

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else return 1; fi
}

packages=()
command -v rsync >/dev/null || packages+=(rsync) # gitlab-ci-local copies each job's files with it
command -v groovy >/dev/null || packages+=(groovy)
command -v systemd-analyze >/dev/null || packages+=(systemd)
if [ "${#packages[@]}" -gt 0 ]; then
  command -v java >/dev/null || packages+=(default-jre-headless)
  as_root apt-get update -qq >/dev/null
  as_root apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
mkdir -p "$tools"
[ -x "$tools/bin/ansible-playbook" ] || {
  "$bin/python" -m venv "$tools"
  "$tools/bin/python" -m pip install --quiet 'ansible-core>=2.18'
}
[ -e "$tools/node_modules/.bin/gitlab-ci-local" ] || npm install --silent --prefix "$tools" gitlab-ci-local@4.75.1
command -v terraform >/dev/null || echo "pipelines: no terraform: its page is not run (https://developer.hashicorp.com/terraform)" >&2
