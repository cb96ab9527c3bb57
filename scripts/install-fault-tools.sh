#!/usr/bin/env bash
# Finds what the fault suite injects faults with, or installs it with apt; says what is missing and which rows that costs.
set -euo pipefail

declare -A package=([strace]=strace [ip]=iproute2 [faketime]=faketime)
declare -A rows=([strace]="F40" [ip]="N01 to N03" [faketime]="N06")

missing() {
  for tool in "${!package[@]}"; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "$tool" >/dev/null || echo "$tool"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo -n "$@"; else return 1; fi
}

mapfile -t lacking < <(missing)
if [ "${#lacking[@]}" -gt 0 ] && command -v apt-get >/dev/null; then
  packages=()
  for tool in "${lacking[@]}"; do packages+=("${package[$tool]}"); done
  as_root apt-get update -qq >/dev/null 2>&1 || true
  as_root apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null 2>&1 || true
fi
for tool in $(missing); do
  echo "faults: no '$tool' (Debian's package ${package[$tool]}): row ${rows[$tool]} cannot be proven and will be red" >&2
done
if [ "$(id -u)" -ne 0 ]; then
  echo "faults: not root: rows that mount, fill disks or make networks are skipped where user namespaces do not do," >&2
  echo "faults: and a skipped row is red" >&2
fi
