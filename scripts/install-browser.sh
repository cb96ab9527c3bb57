#!/usr/bin/env bash
# Finds a browser for UI checks, or installs one: Playwright's own download first, Debian's package where that fails.
set -euo pipefail

bin=${1:?usage: install-browser.sh BIN}

find_browser() {
  "$bin/python" - <<'PYTHON'
import os
import sys

from postdeploy.browser.find import find_browser
from postdeploy.errors import BrowserUnavailableError

try:
    print(f"browser: {find_browser(None, os.environ).executable}")
except BrowserUnavailableError:
    sys.exit(1)
PYTHON
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else return 1; fi
}

find_browser && exit 0
echo "browser: none found, trying Playwright's download"
if timeout 300 "$bin/python" -m playwright install --with-deps chromium-headless-shell >/dev/null 2>&1 && find_browser; then
  exit 0
fi
echo "browser: Playwright's download is not to be had here, trying Debian's chromium-headless-shell"
if command -v apt-get >/dev/null; then
  as_root apt-get update -qq >/dev/null || true
  as_root apt-get install -y -qq --no-install-recommends chromium-headless-shell fonts-noto-cjk >/dev/null || true
fi
find_browser && exit 0
echo "browser: none could be installed; UI checks will be 'errored', everything else runs" >&2
