#!/usr/bin/env bash
# Finds a PostgreSQL server for the tests of the history, or installs Debian's; nothing of it is started here.
set -euo pipefail

found() { command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo -n "$@"; else return 1; fi
}

if ! found && command -v apt-get >/dev/null; then
  as_root apt-get update -qq >/dev/null 2>&1 || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null 2>&1 || true
fi
found || echo "tests: no PostgreSQL server (Debian's package postgresql): the tests of the history that need it will fail" >&2
