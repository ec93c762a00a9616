// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>

#include "arrow_text.h"

/* In the order in which a segment passes them if it stays on one host. */
static const struct {
	enum shk_hook hook;
	const char *name;
} hooks[] = {
	{SHK_HOOK_LOCAL_OUT, "OUT"}, {SHK_HOOK_POST_ROUTING, "POST"}, {SHK_HOOK_PRE_ROUTING, "PRE"},
	{SHK_HOOK_FORWARD, "FWD"},   {SHK_HOOK_LOCAL_IN, "IN"},       {SHK_HOOK_CAPTURE, "CAP"},
};

#define HOOKS (sizeof(hooks) / sizeof(hooks[0]))
_Static_assert(HOOKS == SHK_HOOK_COUNT, "a name for each hook");

static const struct {
	uint16_t bit;
	const char *name;
} flags[] = {
	{SHK_TCP_SYN, "SYN"}, {SHK_TCP_FIN, "FIN"}, {SHK_TCP_RST, "RST"},
	{SHK_TCP_PSH, "PSH"}, {SHK_TCP_URG, "URG"}, {SHK_TCP_ACK, "ACK"},
	{SHK_TCP_ECE, "ECE"}, {SHK_TCP_CWR, "CWR"}, {SHK_TCP_AE, "AE"},
};

static void add_flags(struct shk_text *t, uint16_t tcp_flags)
{
	const char *before = "";

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (!(tcp_flags & flags[i].bit))
			continue;
		shk_text_add(t, "%s%s", before, flags[i].name);
		before = "+";
	}
}

static void add_proofs(struct shk_text *t, const struct shk_conn *conn, const struct shk_arrow *a)
{
	unsigned int other = a->from == SHK_CLIENT ? SHK_SERVER : SHK_CLIENT;
	const struct shk_end *acked = &conn->end[other];

	if (a->proves & (SHK_PROVES_SYN_ACKED | SHK_PROVES_SYNACK_ACKED))
		shk_text_add(t, " %s %s %s ISN+1", t->signs->tick,
			     acked->isn_known && a->ack != acked->isn + 1 ? "covers" : "=",
			     other == SHK_CLIENT ? "client" : "server");
	if (a->proves & SHK_PROVES_FIN_ACKED)
		shk_text_add(t, " %s covers FIN", t->signs->tick);
	if (a->proves & SHK_ARROW_WRONG_ACK)
		shk_text_add(t, " %s wrong ack", t->signs->cross);
}

void shk_arrow_label(struct shk_text *t, const struct shk_conn *conn, uint32_t number)
{
	const struct shk_arrow *a = &conn->arrows[number];

	shk_text_clear(t);
	shk_text_add(t, "[%" PRIu32 "] ", number + 1);
	add_flags(t, a->tcp_flags);
	shk_text_add(t, " seq=%" PRIu32, a->seq);
	if (a->tcp_flags & SHK_TCP_ACK)
		shk_text_add(t, " ack=%" PRIu32, a->ack);
	add_proofs(t, conn, a);
	if (a->payload_len)
		shk_text_add(t, " len=%" PRIu32, a->payload_len);
}

void shk_arrow_stamps(struct shk_text *t, const struct shk_arrow *arrow)
{
	bool done[HOOKS] = {false};

	shk_text_clear(t);
	for (;;) {
		size_t first = HOOKS;

		for (size_t i = 0; i < HOOKS; i++)
			if (arrow->ts_ns[hooks[i].hook] && !done[i] &&
			    (first == HOOKS || arrow->ts_ns[hooks[i].hook] < arrow->ts_ns[hooks[first].hook]))
				first = i;
		if (first == HOOKS)
			break;
		done[first] = true;
		shk_text_add(t, "%s%s +%" PRIu64, t->size ? " " : "", hooks[first].name,
			     (arrow->ts_ns[hooks[first].hook] - arrow->first_ns) / 1000);
	}
}
