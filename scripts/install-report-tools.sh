#!/usr/bin/env bash
# Installs into DIR what the tests read our reports with: Allure 3 and the schema of CTRF from npm, promtool from Debian.
# Nothing is installed for the machine: no service is started and no root is needed. What is there already stays.
set -euo pipefail

dir=${1:?usage: install-report-tools.sh DIR}
mkdir -p "$dir"
exec 9>"$dir/.lock"
flock 9  # several workers of one test run may ask at once

if [ ! -x "$dir/node_modules/.bin/allure" ] || [ ! -d "$dir/node_modules/ctrf" ]; then
  command -v npm >/dev/null || { echo "report tools: no 'npm': install Node.js 20 or later" >&2; exit 1; }
  npm install --prefix "$dir" --no-audit --no-fund --ignore-scripts --silent allure@3.18.0 ctrf@0.3.0
fi

if [ ! -x "$dir/promtool" ]; then
  if command -v promtool >/dev/null; then
    ln -sf "$(command -v promtool)" "$dir/promtool"
  else
    work=$(mktemp -d) && chmod 755 "$work"  # apt reads and writes as another user
    trap 'rm -rf "$work"' EXIT
    (cd "$work" && apt-get download -qq prometheus 2>/dev/null && dpkg -x prometheus_*.deb unpacked)
    cp "$work/unpacked/usr/bin/promtool" "$dir/promtool"
  fi
fi
