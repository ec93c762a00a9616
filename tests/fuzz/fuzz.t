#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the fuzzers, each for a time. As TAP: a test for each.
#
#	SHK_FUZZ_SECONDS	how long each runs, 6 if not set
#	SHK_FUZZ		which, all if not set: "pcap shk"
#	SHK_CORPUS		captures to begin with, ../shared/corpus if not set; without them, one made here
#
# What a fuzzer learns is kept in build/fuzz/learnt/NAME for the next run. An input that fails is kept in
# build/fuzz/failed/; it is looked at by: build/fuzz/fuzz_NAME build/fuzz/failed/NAME-...
set -euo pipefail

seconds=${SHK_FUZZ_SECONDS:-6}
corpus=${SHK_CORPUS:-../shared/corpus}
all=(build/fuzz/fuzz_*)
all=("${all[@]#build/fuzz/fuzz_}")
read -ra names <<<"${SHK_FUZZ:-${all[*]}}"
seeds=build/fuzz/begin

# Small ones: a fuzzer changes octets, and in a large input that is seldom one that matters.
captures=()
if [[ -d $corpus ]]; then
	mapfile -t captures < <(find "$corpus" -type f -size -17k ! -name '*.tsv' ! -name '*.md' | sort)
fi

make_seeds() {
	local file first n=0

	rm -rf "$seeds"
	mkdir -p "$seeds"/{recordings,pcap,pcapng,dissect,options,engine,gate,shk}
	build/fuzz/seeds "$seeds"
	captures+=("$seeds/base.pcapng")
	cp --backup=numbered -t "$seeds/pcap" "${captures[@]}"
	for file in "${captures[@]}"; do
		n=$((n + 1))
		IFS='' LC_ALL=C read -r -d '' -n 1 first <"$file" || :
		[[ $first != $'\n' ]] || cp --backup=numbered -t "$seeds/pcapng" "$file"
		((n % 10)) || build/tcpshake read -o /dev/null --record "$seeds/recordings/$n.shk" "$file" 2>/dev/null || :
	done
	build/tcpshake read -o /dev/null --record "$seeds/recordings/base.shk" "$seeds/base.pcapng" 2>/dev/null
	build/fuzz/seeds "$seeds" "${captures[@]}" "$seeds"/recordings/*
}

# Says what it found; nothing if that is nothing.
fuzz() {
	local name=$1 learnt=build/fuzz/learnt/$1

	mkdir -p "$learnt" build/fuzz/failed
	build/fuzz/fuzz_"$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=16384 -len_control=0 \
		-artifact_prefix=build/fuzz/failed/"$name"- -print_final_stats=1 "$learnt" "$seeds/$name" \
		>build/fuzz/"$name".log 2>&1
}

echo "1..${#names[@]}"
make_seeds
echo "# ${#captures[@]} captures to begin with"
n=0
for name in "${names[@]}"; do
	n=$((n + 1))
	if fuzz "$name"; then
		runs=$(awk '/number_of_executed_units/ { print $2 }' build/fuzz/"$name".log)
		echo "ok $n - $name: $runs inputs"
	else
		echo "not ok $n - $name"
		tail -n 40 build/fuzz/"$name".log | sed 's/^/#   /'
	fi
done
