#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Sessions come and go at random in three processes, beside traffic in two namespaces that stay and in
# others that come and go. Every account must be exact.
. tests/vm/tap.sh

seconds=8
load_module

for ns in busy1 busy2; do
	new_netns "$ns"
	ip netns exec "$ns" "$load" -n 1000000 >/dev/null 2>&1 &
done
churn=()
for seed in 1 2 3; do
	build/tests/device_churn "$seconds" "$seed" >"$tap_dir/churn$seed" 2>&1 &
	churn+=("$!")
done
tap_pids+=("${churn[@]}")

# Namespaces with a connection or two each, as long as any of the three runs.
storms=0
while kill -0 "${churn[@]}" 2>/dev/null; do
	ip netns add "storm" && ip -n storm link set lo up
	ip netns exec storm "$load" -n 2 >/dev/null && ip netns del storm && storms=$((storms + 1))
done

total()
{
	cat "$tap_dir"/churn? | awk -v name="$1" '{ for (i = 1; i < NF; i++) if ($i == name) n += $(i + 1) } END { print n + 0 }'
}

for i in 0 1 2; do
	wait "${churn[i]}"
	is "every account of process $((i + 1)) is exact" "$?" 0
done
sed 's/^/# /' "$tap_dir"/churn?
ok "namespaces came and went meanwhile" test "$storms" -gt 0
ok "accounts were taken" test "$(total accounts)" -ge 10
ok "events were seen" test "$(total seen)" -gt 0
ok "some were lost, so that loss was counted" test "$(total lost)" -gt 0
ok "some were filtered" test "$(total filtered)" -gt 0
ok "no session is left" sh -c '! grep pid /sys/kernel/debug/tcpshake/sessions'

for ns in busy1 busy2; do
	ip netns pids "$ns" | xargs -r kill
	ip netns del "$ns"
done
ok "unloads" rmmod tcpshake

done_testing
