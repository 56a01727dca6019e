#!/usr/bin/env bash
# servers.sh: Debian's redis-server, rabbitmq-server and postgresql for the tests, which start servers of their own from them.
# Root on a Debian machine gets them installed, without a service being started; anybody else is told what to install.
set -euo pipefail

missing=()
command -v redis-server >/dev/null || missing+=(redis-server)
[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || command -v rabbitmq-server >/dev/null || missing+=(rabbitmq-server)
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null || missing+=(postgresql)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "== Not installed: ${missing[*]}. The tests that need them are skipped (and fail when CI=true)."
  echo "   On Debian or Ubuntu: sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}"
  exit 0
fi

# Debian starts a service as soon as its package is installed, unless this file says no (invoke-rc.d(8), deb-systemd-invoke(1)).
policy=/usr/sbin/policy-rc.d
saved=$(mktemp -d)
restore() {
  rm -f "$policy"
  if [ -e "$saved/policy-rc.d" ]; then cp -p "$saved/policy-rc.d" "$policy"; fi
  rm -rf "$saved"
}
if [ -e "$policy" ]; then cp -p "$policy" "$saved/policy-rc.d"; fi
trap restore EXIT
rm -f "$policy"
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

echo "== installing ${missing[*]} (no service is started)"
export DEBIAN_FRONTEND=noninteractive
apt-get -q -o DPkg::Lock::Timeout=120 update
apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "${missing[@]}"
