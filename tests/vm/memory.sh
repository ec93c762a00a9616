# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Is the kernel's memory as it was before? Sourced after tap.sh:
#
#	memory_note		how much of each kind is in use now
#	memory_is_as_noted N	a test: of no kind there is one more for every second of N things done since
#	scan_for_leaks		prints what nobody points to. With the module unloaded: the scan passes over variables that
#				are read only after it is loaded, and what they point to
#
# What is done once, or fills a cache up to some size, does not grow with N: warm up first, and let N be some hundreds.
#
# The allocators count as used what a CPU keeps at hand, which goes up and down by a slab or two; and what was freed
# is free after a grace period, or when a thread of the kernel gets to it. What counts is the least of several readings:
# a leak is in all of them.

leaks=/sys/kernel/debug/kmemleak

seconds_up()
{
	awk '{ print int($1) }' /proc/uptime
}

is_past()
{
	[ "$(seconds_up)" -gt "$1" ]
}

# The kernel calls a leak what is older than five seconds and was found by two scans with the same content.
scan_for_leaks()
{
	wait_for is_past $(($(seconds_up) + 6))
	echo scan >$leaks
	echo scan >$leaks
	cat $leaks
}

# One kind a line: a cache of the slab allocator, areas of vmalloc(), per-CPU memory in units of 512 octets.
memory_read()
{
	local cache

	echo 3 >/proc/sys/vm/drop_caches
	for cache in /sys/kernel/slab/*; do
		[ -L "$cache" ] || echo 1 >"$cache/shrink"
	done
	# Areas that wait to be given back all at once are in the cache of areas, too.
	awk 'NR > 2 && $1 != "vmap_area" { print $1, $2 }' /proc/slabinfo
	awk '!/unpurged/ { n++ } END { print "vmalloc", n }' /proc/vmallocinfo
	awk '$1 == "Percpu:" { print "percpu", $2 * 2 }' /proc/meminfo
}

# memory_least FILE: another reading; FILE keeps the least of each kind
memory_least()
{
	memory_read >"$tap_dir/reading"
	touch "$1"
	awk '!($1 in least) || $2 < least[$1] { least[$1] = $2 }
		END { for (kind in least) print kind, least[kind] }' "$tap_dir/reading" "$1" | sort >"$1.new"
	mv "$1.new" "$1"
}

memory_sum()
{
	awk '{ n += $2 } END { print n }' "$1"
}

# Until it falls no more.
memory_note()
{
	local sum=0 previous

	rm -f "$tap_dir/noted"
	for _ in {1..30}; do
		memory_least "$tap_dir/noted"
		previous=$sum sum=$(memory_sum "$tap_dir/noted")
		[ "$previous" = 0 ] || [ "$sum" -lt $((previous - 50)) ] || return 0
	done
}

memory_has_not_grown()
{
	join "$tap_dir/noted" "$tap_dir/now" |
		awk -v n="$1" '$3 - $2 >= n / 2 { print $1 ": was " $2 ", is " $3; grown = 1 } END { exit grown }'
}

memory_has_come_back()
{
	rm -f "$tap_dir/now"
	for _ in {1..30}; do
		memory_least "$tap_dir/now"
		memory_has_not_grown "$1" >"$tap_dir/grown" && return
	done
	cat "$tap_dir/grown"
	return 1
}

memory_is_as_noted()
{
	local text="the kernel's memory is as before these $1"

	if [ ! -r /proc/slabinfo ]; then
		skip "$text" "this kernel has no /proc/slabinfo"
		return
	fi
	ok "$text" memory_has_come_back "$1"
	echo "# most grown: $(join "$tap_dir/noted" "$tap_dir/now" | awk '{ print $3 - $2, $1 }' | sort -rn | head -n 3 |
		paste -sd ,)"
}
