#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Install what is missing of a list of packages, from wherever this machine's apt gets its packages. When
# nothing is missing it does nothing, and needs neither root nor network.
#
#	tests/deps.sh [LIST]	default: tests/packages
set -euo pipefail

packages=${1:-$(dirname "${BASH_SOURCE[0]}")/packages}
mapfile -t wanted < <(grep -Ev '^(#|$)' "$packages")

missing=()
is_installed=$'\n'$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${wanted[@]}" 2>/dev/null || :)$'\n'
for package in "${wanted[@]}"; do
	[[ $is_installed == *$'\nii  '"$package"$'\n'* ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

if ((EUID)); then
	cat >&2 <<-END
		These Debian packages are missing: ${missing[*]}
		Install them once, as root, with:   tests/deps.sh $packages
		After that no root is needed.
	END
	exit 1
fi

# Services stay as they are: a web server is wanted in the VM, not running on this machine.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
	trap 'rm -f "$policy"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -q -y -o DPkg::Lock::Timeout=600)
install=("${apt[@]}" install --no-install-recommends "${missing[@]}")
echo "Installing from Debian: ${missing[*]}"
# Package lists may be missing or older than the mirror.
"${install[@]}" || { "${apt[@]}" update && "${install[@]}"; }
