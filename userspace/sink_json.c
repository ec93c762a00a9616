// SPDX-License-Identifier: GPL-2.0
/*
 * The JSON sink: one object a line, for programs. The members and their meaning are those of the
 * record's schema; this file gives their order, which stays. A member that does not apply is absent,
 * one that was not observed is null.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cgroups.h"
#include "community_id.h"
#include "format.h"
#include "json_text.h"
#include "sink.h"

#define SCHEMA_VERSION 1

struct shk_sink_json {
	struct shk_sink sink;
	FILE *out;
	const struct shk_cgroups *cgroups;
	struct shk_json_text line;
};

static struct shk_sink_json *json_of(struct shk_sink *s)
{
	return (struct shk_sink_json *)((char *)s - offsetof(struct shk_sink_json, sink));
}

/*
 * ---- Members -------------------------------------------------------------------------------------
 */

static void put_string(struct shk_sink_json *j, const char *s)
{
	shk_json_string(&j->line, s);
}

SHK_JSON_INLINE void member_string(struct shk_sink_json *j, const char *key, const char *value)
{
	shk_json_key(&j->line, key);
	shk_json_quote(&j->line, value);
}

SHK_JSON_INLINE void member_u64(struct shk_sink_json *j, const char *key, uint64_t value)
{
	shk_json_key(&j->line, key);
	shk_json_u64(&j->line, value);
}

SHK_JSON_INLINE void member_s64(struct shk_sink_json *j, const char *key, int64_t value)
{
	shk_json_key(&j->line, key);
	shk_json_s64(&j->line, value);
}

SHK_JSON_INLINE void member_bool(struct shk_sink_json *j, const char *key, bool value)
{
	shk_json_key(&j->line, key);
	if (value)
		shk_json_literal(&j->line, "true");
	else
		shk_json_literal(&j->line, "false");
}

SHK_JSON_INLINE void member_null(struct shk_sink_json *j, const char *key)
{
	shk_json_key(&j->line, key);
	shk_json_literal(&j->line, "null");
}

static void member_string_or_null(struct shk_sink_json *j, const char *key, const char *value)
{
	if (value)
		member_string(j, key, value);
	else
		member_null(j, key);
}

SHK_JSON_INLINE void member_u64_or_null(struct shk_sink_json *j, const char *key, bool known, uint64_t value)
{
	if (known)
		member_u64(j, key, value);
	else
		member_null(j, key);
}

SHK_JSON_INLINE void member_bool_or_null(struct shk_sink_json *j, const char *key, bool known, bool value)
{
	if (known)
		member_bool(j, key, value);
	else
		member_null(j, key);
}

static void member_span(struct shk_sink_json *j, const char *key, uint64_t ns)
{
	member_u64_or_null(j, key, ns != SHK_UNKNOWN_NS, ns);
}

/* 1 yes, 0 no, -1 not observed */
static void member_check(struct shk_sink_json *j, const char *key, int8_t held)
{
	member_bool_or_null(j, key, held >= 0, held > 0);
}

SHK_JSON_INLINE void open_object(struct shk_sink_json *j, const char *key)
{
	shk_json_key(&j->line, key);
	shk_json_literal(&j->line, "{");
}

SHK_JSON_INLINE void close_object(struct shk_sink_json *j)
{
	shk_json_literal(&j->line, "}");
}

SHK_JSON_INLINE void open_array(struct shk_sink_json *j, const char *key)
{
	shk_json_key(&j->line, key);
	shk_json_literal(&j->line, "[");
}

SHK_JSON_INLINE void close_array(struct shk_sink_json *j)
{
	shk_json_literal(&j->line, "]");
}

static void member_names(struct shk_sink_json *j, const char *key, uint32_t flags, unsigned int count,
			 const char *(*name)(unsigned int bit))
{
	open_array(j, key);
	for (unsigned int bit = 0; flags >> bit && bit < count; bit++)
		if (flags & 1U << bit)
			put_string(j, name(bit));
	close_array(j);
}

static void begin_record(struct shk_sink_json *j, const char *type)
{
	shk_json_clear(&j->line);
	shk_json_literal(&j->line, "{");
	member_string(j, "type", type);
}

/* Either the whole line is written or nothing. */
static int end_record(struct shk_sink_json *j)
{
	shk_json_literal(&j->line, "}\n");
	if (j->line.error)
		return j->line.error;
	errno = 0;
	if (fwrite(j->line.text, 1, j->line.len, j->out) != j->line.len)
		return errno ? -errno : -EIO;
	return 0;
}

/*
 * ---- A connection ------------------------------------------------------------------------------
 */

/*
 * Did this SYN offer, or this SYN+ACK accept, ECN? RFC 3168 6.1.1 and, for the three bits together, the
 * table of RFC 9768 3.1.1: a SYN+ACK that echoes all of them comes from a reflecting host.
 */
static bool ecn_agreed(uint16_t flags)
{
	uint16_t ace = flags & (SHK_TCP_ECE | SHK_TCP_CWR | SHK_TCP_AE);

	if (!(flags & SHK_TCP_ACK))
		return (ace & SHK_TCP_ECE) && (ace & SHK_TCP_CWR);
	return ace && ace != (SHK_TCP_ECE | SHK_TCP_CWR | SHK_TCP_AE);
}

/* Options are those of the SYN: without one nothing is known of them. */
static void put_options(struct shk_sink_json *j, const struct shk_end *end)
{
	bool seen = end->syn || end->synack;

	if (!seen || end->options & SHK_OPT_MSS)
		member_u64_or_null(j, "mss", seen, end->mss);
	if (!seen || end->options & SHK_OPT_WSCALE)
		member_u64_or_null(j, "wscale", seen, end->wscale);
	member_bool_or_null(j, "sack", seen, end->options & SHK_OPT_SACK_PERMITTED);
	member_bool_or_null(j, "timestamps", seen, end->options & SHK_OPT_TIMESTAMPS);
	member_bool_or_null(j, "ecn", seen, ecn_agreed(end->syn_flags));
	member_bool_or_null(j, "tfo", seen, end->options & (SHK_OPT_TFO | SHK_OPT_TFO_EXPERIMENT));
	member_bool_or_null(j, "mptcp", seen, end->options & SHK_OPT_MPTCP);
}

static void put_process(struct shk_sink_json *j, const struct shk_process *process)
{
	const struct shk_cgroup *cgroup;

	if (!process->pid)
		return;
	open_object(j, "process");
	member_u64(j, "pid", process->pid);
	member_string(j, "comm", process->comm);
	cgroup = shk_cgroups_find(j->cgroups, process->cgroup);
	member_string_or_null(j, "cgroup", cgroup ? cgroup->path : NULL);
	if (cgroup && cgroup->container[0])
		member_string(j, "container", cgroup->container);
	close_object(j);
}

static void put_end(struct shk_sink_json *j, const char *key, const struct shk_end *end)
{
	char ip[SHK_ADDR_SIZE];

	open_object(j, key);
	member_string(j, "ip", shk_format_addr(ip, end->addr));
	member_u64(j, "port", end->port);
	member_u64_or_null(j, "isn", end->isn_known, end->isn);
	member_u64(j, "syn", end->syn);
	member_u64(j, "synack", end->synack);
	member_u64(j, "fin", end->fin);
	member_u64(j, "rst", end->rst);
	member_u64(j, "syn_retransmits", end->syn_retransmits);
	member_u64(j, "synack_retransmits", end->synack_retransmits);
	member_u64(j, "fin_retransmits", end->fin_retransmits);
	if (end->fin)
		member_bool(j, "fin_acked", end->fin_acked);
	member_u64_or_null(j, "bytes", end->bytes_known, end->bytes);
	put_options(j, end);
	put_process(j, &end->process);
	close_object(j);
}

static void put_cookie(struct shk_sink_json *j, const struct shk_cookie *cookie)
{
	uint8_t kept = cookie->kept_known ? cookie->kept : 0, wscale = kept & SHK_COOKIE_WSCALE;

	if (cookie->fate == SHK_COOKIE_NONE)
		return;
	open_object(j, "cookie");
	member_string(j, "state", shk_cookie_fate_name(cookie->fate));
	if (kept & SHK_COOKIE_TIMESTAMPS && wscale != SHK_COOKIE_WSCALE)
		member_u64(j, "wscale", wscale);
	member_bool_or_null(j, "sack", cookie->kept_known, kept & SHK_COOKIE_SACK);
	member_bool_or_null(j, "ecn", cookie->kept_known, kept & SHK_COOKIE_ECN);
	close_object(j);
}

static void put_open(struct shk_sink_json *j, const struct shk_conn *conn)
{
	open_object(j, "open");
	member_string(j, "verdict", shk_open_code(conn->open));
	member_names(j, "flags", conn->open_flags, SHK_OF_COUNT, shk_open_flag_name);
	open_object(j, "legs_ns");
	member_span(j, "syn_synack", conn->syn_synack_ns);
	member_span(j, "synack_ack", conn->synack_ack_ns);
	member_span(j, "total", conn->open_total_ns);
	if (conn->network_ns != SHK_UNKNOWN_NS) {
		member_u64(j, "network", conn->network_ns);
		member_u64(j, "host", conn->host_ns);
	}
	if (conn->accept_wait_ns != SHK_UNKNOWN_NS)
		member_u64(j, "accept_wait", conn->accept_wait_ns);
	close_object(j);
	open_object(j, "checks");
	member_check(j, "synack_acks_syn", conn->synack_acks_syn);
	member_check(j, "ack_acks_synack", conn->ack_acks_synack);
	close_object(j);
	put_cookie(j, &conn->cookie);
	close_object(j);
}

static const char *const side_names[] = {
	[SHK_CLIENT] = "client",
	[SHK_SERVER] = "server",
	[SHK_BOTH] = "both",
	[SHK_NEITHER] = "none",
};

static void put_close(struct shk_sink_json *j, const struct shk_conn *conn)
{
	open_object(j, "close");
	member_string(j, "verdict", shk_close_code(conn->close));
	if (conn->close != SHK_C_NONE && conn->close_by != SHK_NEITHER)
		member_string(j, "by", side_names[conn->close_by]);
	if (conn->fins != SHK_C_NONE)
		member_string(j, "fins", shk_close_code(conn->fins));
	if (conn->half_close) {
		open_object(j, "half_close");
		member_span(j, "ns", conn->half_close_ns);
		member_u64(j, "bytes", conn->half_close_bytes);
		close_object(j);
	}
	if (conn->end[SHK_CLIENT].fin || conn->end[SHK_SERVER].fin) {
		open_object(j, "legs_ns");
		member_span(j, "fin_ack", conn->fin_ack_ns);
		member_span(j, "fin_fin", conn->fin_fin_ns);
		if (conn->time_wait_ns != SHK_UNKNOWN_NS)
			member_u64(j, "time_wait", conn->time_wait_ns);
		close_object(j);
	}
	member_names(j, "flags", conn->close_flags, SHK_CF_COUNT, shk_close_flag_name);
	close_object(j);
}

static void put_witness(struct shk_sink_json *j, const struct shk_conn *conn)
{
	static const char *const confidence[] = {
		[SHK_CERTAIN] = "certain",
		[SHK_INFERRED] = "inferred",
		[SHK_PARTIAL] = "partial",
	};

	open_object(j, "witness");
	member_bool(j, "wire", conn->witness_wire);
	member_bool(j, "socket", conn->witness_socket);
	member_u64(j, "lost", conn->lost);
	member_u64(j, "late", conn->late);
	member_string(j, "confidence", confidence[conn->confidence]);
	member_names(j, "conflicts", conn->conflicts, SHK_CONFLICT_COUNT, shk_conflict_name);
	close_object(j);
}

static void put_reuse(struct shk_sink_json *j, const struct shk_tuple_reuse *reuse)
{
	if (!reuse->known)
		return;
	open_object(j, "tuple_reuse");
	member_u64(j, "gap_ns", reuse->gap_ns);
	member_string(j, "verdict", shk_reuse_code(reuse->verdict));
	member_string(j, "verdict_30s", shk_reuse_code(reuse->verdict_30s));
	member_s64(j, "margin", reuse->margin);
	if (reuse->ts_margin_known)
		member_s64(j, "ts_margin", reuse->ts_margin);
	close_object(j);
}

static void put_blame(struct shk_sink_json *j, const struct shk_blame *blame)
{
	if (blame->where == SHK_BLAME_NOTHING)
		return;
	open_object(j, "blame");
	member_string(j, "where", shk_blame_name(blame->where));
	member_string(j, "why", blame->why);
	close_object(j);
}

static void put_compat(struct shk_sink_json *j, const struct shk_compat *compat)
{
	open_object(j, "compat");
	member_u64(j, "completeness", compat->completeness);
	member_string(j, "conn_state", compat->conn_state);
	member_string(j, "history", compat->history);
	close_object(j);
}

/* The id takes all 64 bits, more than many JSON parsers keep of a number: so it is a string. */
static int put_conn(struct shk_sink_json *j, const char *type, const struct shk_conn *conn)
{
	char community_id[SHK_COMMUNITY_ID_SIZE], id[SHK_HEX_SIZE];

	begin_record(j, type);
	shk_community_id(community_id, &conn->end[SHK_CLIENT], &conn->end[SHK_SERVER]);
	member_string(j, "id", shk_format_hex(id, conn->id));
	member_string(j, "community_id", community_id);
	member_u64(j, "netns", conn->netns);
	member_s64(j, "ts", shk_real_ns(conn->first_ns, conn->real_offset_ns));
	member_s64(j, "last_ts", shk_real_ns(conn->last_ns, conn->real_offset_ns));
	put_end(j, "client", &conn->end[SHK_CLIENT]);
	put_end(j, "server", &conn->end[SHK_SERVER]);
	member_string(j, "local", side_names[conn->local]);
	put_open(j, conn);
	put_close(j, conn);
	put_reuse(j, &conn->reuse);
	put_blame(j, &conn->blame);
	put_witness(j, conn);
	if (conn->compat.conn_state[0])
		put_compat(j, &conn->compat);
	return end_record(j);
}

/*
 * ---- The sink ----------------------------------------------------------------------------------
 */

static void put_facts(struct shk_sink_json *j, const char *key, const struct shk_facts *facts, bool observed)
{
	open_array(j, key);
	for (size_t i = 0; i < facts->n; i++) {
		const struct shk_fact *fact = &facts->of[i];

		if (!fact->without != observed)
			continue;
		shk_json_literal(&j->line, "{");
		member_string(j, "witness", fact->witness);
		member_string(j, "through", fact->through);
		member_string(j, "shows", fact->shows);
		if (!observed) {
			member_string(j, "without", fact->without);
			member_string(j, "why", fact->why);
		}
		if (fact->blind)
			member_string(j, "blind", fact->blind);
		close_object(j);
	}
	close_array(j);
}

static int json_header(struct shk_sink *s, const struct shk_header *header)
{
	struct shk_sink_json *j = json_of(s);
	char tool[64];

	begin_record(j, "header");
	member_u64(j, "schema", SCHEMA_VERSION);
	snprintf(tool, sizeof(tool), "tcpshake %s", header->version);
	member_string(j, "tool", tool);
	member_string(j, "host", header->host);
	member_string(j, "kernel", header->kernel);
	open_array(j, "sources");
	for (const char *const *source = header->sources; *source; source++)
		put_string(j, *source);
	close_array(j);
	member_s64(j, "clock_offset_ns", header->real_offset_ns);
	if (header->facts) {
		put_facts(j, "observes", header->facts, true);
		put_facts(j, "missing", header->facts, false);
	}
	return end_record(j);
}

static int json_opened(struct shk_sink *s, const struct shk_conn *conn)
{
	return put_conn(json_of(s), "open", conn);
}

static int json_closed(struct shk_sink *s, const struct shk_conn *conn)
{
	return put_conn(json_of(s), "connection", conn);
}

static int json_lost(struct shk_sink *s, const struct shk_loss *loss)
{
	struct shk_sink_json *j = json_of(s);

	begin_record(j, "lost");
	member_string(j, "source", loss->source);
	member_u64(j, "cpu", loss->cpu);
	member_u64(j, "count", loss->count);
	member_s64(j, "ts", shk_real_ns(loss->ts_ns, loss->real_offset_ns));
	return end_record(j);
}

static int json_summary(struct shk_sink *s, const struct shk_summary *summary)
{
	struct shk_sink_json *j = json_of(s);

	begin_record(j, "summary");
	member_u64(j, "seen", summary->seen);
	member_u64(j, "delivered", summary->delivered);
	member_u64(j, "lost", summary->lost);
	member_u64(j, "late", summary->late);
	member_u64(j, "evicted", summary->evicted);
	open_object(j, "by_open");
	for (int i = 0; i < SHK_O_COUNT; i++)
		member_u64(j, shk_open_code(i), summary->by_open[i]);
	close_object(j);
	open_object(j, "by_close");
	for (int i = 0; i < SHK_C_COUNT; i++)
		member_u64(j, shk_close_code(i), summary->by_close[i]);
	close_object(j);
	open_object(j, "by_conflict");
	for (int i = 0; i < SHK_CONFLICT_COUNT; i++)
		member_u64(j, shk_conflict_name(i), summary->by_conflict[i]);
	close_object(j);
	member_u64(j, "unmatched", summary->unmatched);
	open_object(j, "by_reuse");
	for (int i = 0; i < SHK_REUSE_COUNT; i++)
		member_u64(j, shk_reuse_code(i), summary->by_reuse[i]);
	close_object(j);
	member_u64(j, "tuples_forgotten", summary->tuples_forgotten);
	return end_record(j);
}

static int json_flush(struct shk_sink *s)
{
	return fflush(json_of(s)->out) ? -errno : 0;
}

static void json_free(struct shk_sink *s)
{
	if (!s)
		return;
	shk_json_release(&json_of(s)->line);
	free(json_of(s));
}

static const struct shk_sink_ops json_ops = {
	.name = "json",
	.header = json_header,
	.opened = json_opened,
	.closed = json_closed,
	.lost = json_lost,
	.summary = json_summary,
	.flush = json_flush,
	.free = json_free,
};

struct shk_sink *shk_sink_json_new(const struct shk_sink_config *config)
{
	struct shk_sink_json *json = malloc(sizeof(*json));

	if (!json)
		return NULL;
	json->sink = (struct shk_sink){.ops = &json_ops};
	json->out = config->out;
	json->cgroups = config->cgroups;
	if (shk_json_init(&json->line)) {
		free(json);
		return NULL;
	}
	return &json->sink;
}
