#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A ring that is far too small: what is lost is counted to the event, and nothing pretends otherwise.
. tests/vm/tap.sh

load_module
new_netns small
inode=$(netns_inode small)

start_watch small --json --netns "$inode" --ring-slots 64
# The reader sleeps while the ring overflows, so that loss is certain.
kill -STOP "$watch_pid"
ip netns exec small "$load" -n 500 >/dev/null
kill -CONT "$watch_pid"
ip netns exec small "$load" -n 500 >/dev/null
stop_watch "$watch_pid"
is "seen == delivered + lost on every CPU, and all that was delivered was read" $? 0

ok "something was lost" test "$(json small 'select(.type=="summary") | .lost')" -gt 0
is "the summary adds up" "$(json small 'select(.type=="summary") | .seen == .delivered + .lost')" true
is "the losses told in the stream are the loss of the summary" \
	"$(jq -s '[.[] | select(.type=="lost") | .count] | add' "$tap_dir/small.out")" \
	"$(json small 'select(.type=="summary") | .lost')"
is "no record that lost its evidence claims to be certain" \
	"$(json small 'select(.type=="connection" and .witness.confidence=="certain" and
	   ((.open.verdict | IN("O_3WHS", "O_TW_RECYCLE_PASSIVE") | not) or .client.isn==null or .server.isn==null or .close.verdict=="C_NONE")) | .id' | wc -l)" 0

ip netns del small
done_testing
