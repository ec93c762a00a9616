# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Packages of any Debian suite, whatever this machine runs: looked up and verified by apt, from the mirror that
# this machine's apt already uses, and never installed. Sourced:
#
#	. tests/suite/apt.sh
#	suite_use trixie-backports	# prefers packages of that suite from here on; nobody else does meanwhile
#	suite_update			# asks the mirror for its current lists
#	suite_download DIR PACKAGE...	# into DIR, as .deb
#	apt-cache "${suite_apt[@]}" ...
#
# A suite and its backports share one set of lists, in ${XDG_CACHE_HOME:-~/.cache}/tcpshake/apt/.

suite_cache=${XDG_CACHE_HOME:-$HOME/.cache}/tcpshake
suite_apt=()

# Where this machine gets its own release from, or with "-security" that release's security updates.
suite_mirror() {
	local codename
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	apt-get indextargets --format '$(REPO_URI)' "Created-By: Packages" "Release: $codename${1-}" \
		"Component: main" | head -n 1
}

suite_sources() {
	local base=$1 main security
	main=$(suite_mirror)
	security=$(suite_mirror -security)
	if [[ ! $main ]]; then
		echo "suite/apt.sh: this machine's apt knows no mirror of Debian, so none of $base either" >&2
		return 1
	fi
	local deb="deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
	printf "$deb %s %s main\n" "$main" "$base"
	[[ $base != sid ]] || return 0 # which has nothing beside it
	printf "$deb %s %s main\n" "$main" "$base-backports"
	[[ ! $security ]] || echo "$deb $security $base-security main"
}

suite_use() {
	local suite=$1 base=${1%-backports}
	local state=$suite_cache/apt/$base
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	# apt does not wait for another apt at the same lists: it fails.
	exec 8>"$state/.lock"
	flock 8
	suite_sources "$base" >"$state/sources.list" || return
	suite_apt=(-q=2 -o APT::Sandbox::User= -o Dir::State::status=/dev/null
		-o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=-
		-o Dir::State::lists="$state/lists" -o Dir::Cache="$state/cache")
	# Backports stay behind the release itself unless they are asked for by name.
	[[ $suite == "$base" ]] || suite_apt+=(-o APT::Default-Release="$suite")
}

suite_update() {
	apt-get "${suite_apt[@]}" update >&2
}

suite_download() {
	local dir=$1
	shift
	(cd "$dir" && apt-get "${suite_apt[@]}" download "$@" >&2)
}
