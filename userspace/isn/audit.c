// SPDX-License-Identifier: GPL-2.0
#include "isn/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "isn/hosts.h"
#include "isn/judge.h"
#include "isn/what_if.h"

/* Linux, for a tuple that it takes out of TIME-WAIT: tcp_timewait_state_process(), tcp_twsk_unique(). */
#define TIME_WAIT_STEP 65537U

struct shk_isn {
	struct shk_isn_hosts hosts;
	struct shk_isn_totals totals;
	struct shk_counterfactual what_if;
	uint64_t uses; /* connections closed that came about, as shk_tuple_use.number counts them */
	struct shk_isn_risk *risks;
	int32_t *margins;
	uint32_t n_risks, n_margins;
	struct shk_isn_work *work;
	uint32_t *order; /* of hosts, for those who ask */
};

struct shk_isn *shk_isn_new(const struct shk_isn_config *config)
{
	uint32_t hosts_max = config->hosts_max ? config->hosts_max : SHK_ISN_HOSTS_MAX_DEFAULT;
	struct shk_isn *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	if (shk_isn_hosts_init(&a->hosts, hosts_max, config->hash_key)) {
		free(a);
		return NULL;
	}
	a->risks = calloc(SHK_ISN_RISKS_MAX, sizeof(*a->risks));
	a->margins = calloc(SHK_ISN_MARGINS_MAX, sizeof(*a->margins));
	a->work = calloc(1, sizeof(*a->work));
	a->order = calloc(hosts_max, sizeof(*a->order));
	if (a->risks && a->margins && a->work && a->order)
		return a;
	shk_isn_free(a);
	return NULL;
}

void shk_isn_free(struct shk_isn *a)
{
	if (!a)
		return;
	shk_isn_hosts_release(&a->hosts);
	free(a->risks);
	free(a->margins);
	free(a->work);
	free(a->order);
	free(a);
}

/*
 * ---- Samples ---------------------------------------------------------------------------------------
 */

/* The rest of the tuple: within one host and role it stands for the whole. */
static uint64_t tuple_id(const struct shk_isn *a, const struct shk_end *own, const struct shk_end *peer)
{
	struct shk_hash_state s;
	uint64_t half[2];

	memcpy(half, peer->addr, sizeof(half));
	shk_hash_init(&s, &a->hosts.hash_key);
	shk_hash_add(&s, half[0]);
	shk_hash_add(&s, half[1]);
	shk_hash_add(&s, (uint32_t)own->port << 16 | peer->port);
	return shk_hash_end(&s, 20);
}

/* The one SYN, or SYN+ACK, of which it is known when it was sent first. */
static bool is_alone(const struct shk_conn *conn, enum shk_side side)
{
	const struct shk_end *end = &conn->end[side];

	if (side == SHK_CLIENT)
		return end->syn > 0;
	if (end->syn || end->synack != end->synack_retransmits + 1)
		return false;
	return conn->syn_synack_ns != SHK_UNKNOWN_NS || !conn->end[SHK_CLIENT].syn;
}

/* Why that ISN is to be left out; SHK_ISN_EXCLUDED_COUNT: it is not. */
static enum shk_isn_excluded why_not(const struct shk_conn *conn, enum shk_side side)
{
	if (side == SHK_SERVER && (conn->open == SHK_O_COOKIE || conn->open_flags & SHK_OF_COOKIE))
		return SHK_ISN_COOKIE;
	if (conn->reuse.known && conn->end[side].isn - conn->reuse.earlier->end[side] == TIME_WAIT_STEP)
		return SHK_ISN_TIME_WAIT;
	if (conn->conflicts & SHK_CONFLICT_ISN)
		return SHK_ISN_PROXIED;
	return is_alone(conn, side) ? SHK_ISN_EXCLUDED_COUNT : SHK_ISN_UNKNOWN;
}

static int take_sample(struct shk_isn *a, const struct shk_conn *conn, enum shk_side side)
{
	const struct shk_end *own = &conn->end[side], *peer = &conn->end[side ^ 1];
	enum shk_isn_excluded why = why_not(conn, side);
	struct shk_isn_key key = {.netns = conn->netns, .role = side};
	struct shk_isn_sample sample = {
		.real_ns = (int64_t)conn->first_ns + conn->real_offset_ns,
		.isn = own->isn,
		.own_port = own->port,
		.peer_port = peer->port,
	};
	struct shk_isn_entry *e;

	memcpy(key.addr, own->addr, sizeof(key.addr));
	e = shk_isn_hosts_get(&a->hosts, &key);
	if (why != SHK_ISN_EXCLUDED_COUNT) {
		e->excluded[why]++;
		return 0;
	}
	if (side == SHK_SERVER && conn->syn_synack_ns != SHK_UNKNOWN_NS)
		sample.real_ns += (int64_t)conn->syn_synack_ns;
	sample.tuple = tuple_id(a, own, peer);
	e->samples++;
	return shk_isn_store_add(&e->store, &sample);
}

int shk_isn_opened(struct shk_isn *a, const struct shk_conn *conn)
{
	int rc = 0, server_rc = 0;

	if (conn->end[SHK_CLIENT].isn_known)
		rc = take_sample(a, conn, SHK_CLIENT);
	/* Who connects to itself has one ISN. */
	if (conn->end[SHK_SERVER].isn_known && conn->open != SHK_O_SELF)
		server_rc = take_sample(a, conn, SHK_SERVER);
	return rc ? rc : server_rc;
}

/*
 * ---- Reuses ----------------------------------------------------------------------------------------
 */

static void remember_risk(struct shk_isn *a, const struct shk_conn *conn)
{
	struct shk_isn_risk *risk;
	unsigned int i;

	a->totals.risks++;
	if (a->n_risks == SHK_ISN_RISKS_MAX)
		return;
	risk = &a->risks[a->n_risks++];
	risk->id = conn->id;
	risk->netns = conn->netns;
	for (i = 0; i < 2; i++) {
		memcpy(risk->addr[i], conn->end[i].addr, sizeof(risk->addr[i]));
		risk->port[i] = conn->end[i].port;
	}
	risk->real_ns = (int64_t)conn->first_ns + conn->real_offset_ns;
	risk->reuse = conn->reuse;
	risk->reuse.earlier = NULL;
}

static void count_reuse(struct shk_isn *a, const struct shk_conn *conn, const struct shk_tuple_use *use)
{
	const struct shk_tuple_reuse *reuse = &conn->reuse;

	a->totals.reuses++;
	a->totals.by_reuse[reuse->verdict]++;
	a->totals.by_reuse_30s[reuse->verdict_30s]++;
	if (shk_reuse_at_risk(reuse->verdict))
		remember_risk(a, conn);
	a->totals.margins++;
	if (a->n_margins < SHK_ISN_MARGINS_MAX)
		a->margins[a->n_margins++] = reuse->margin;
	shk_what_if_add(&a->what_if, reuse->earlier, use);
}

int shk_isn_closed(struct shk_isn *a, const struct shk_conn *conn)
{
	struct shk_tuple_use use;

	a->totals.connections++;
	if (!shk_use_from_conn(&use, conn))
		return 0;
	use.number = a->uses++;
	if (conn->reuse.known)
		count_reuse(a, conn, &use);
	return 0;
}

/*
 * ---- Answers ---------------------------------------------------------------------------------------
 */

static int by_name(const struct shk_isn_key *a, const struct shk_isn_key *b)
{
	int order;

	if (a->netns != b->netns)
		return a->netns < b->netns ? -1 : 1;
	order = memcmp(a->addr, b->addr, sizeof(a->addr));
	return order ? order : (int)a->role - (int)b->role;
}

static int compare_places(const void *x, const void *y, void *arg)
{
	const struct shk_isn_hosts *t = arg;

	return by_name(&t->entries[*(const uint32_t *)x].key, &t->entries[*(const uint32_t *)y].key);
}

uint32_t shk_isn_hosts(struct shk_isn *a)
{
	uint32_t i;

	for (i = 0; i < a->hosts.count; i++)
		a->order[i] = i;
	qsort_r(a->order, a->hosts.count, sizeof(*a->order), compare_places, &a->hosts);
	return a->hosts.count;
}

int shk_isn_judge(struct shk_isn *a, uint32_t index, struct shk_isn_host *host)
{
	struct shk_isn_entry *e;

	if (index >= a->hosts.count)
		return -ENOENT;
	e = &a->hosts.entries[a->order[index]];
	memset(host, 0, sizeof(*host));
	memcpy(host->addr, e->key.addr, sizeof(host->addr));
	host->netns = e->key.netns;
	host->role = e->key.role;
	host->samples = e->samples;
	memcpy(host->excluded, e->excluded, sizeof(host->excluded));
	shk_isn_judge_store(&e->store, a->work, host);
	return 0;
}

const struct shk_isn_risk *shk_isn_risks(const struct shk_isn *a, uint32_t *n)
{
	*n = a->n_risks;
	return a->risks;
}

const int32_t *shk_isn_margins(const struct shk_isn *a, uint32_t *n)
{
	*n = a->n_margins;
	return a->margins;
}

const struct shk_counterfactual *shk_isn_counterfactual(const struct shk_isn *a)
{
	return &a->what_if;
}

void shk_isn_totals(const struct shk_isn *a, struct shk_isn_totals *totals)
{
	*totals = a->totals;
	totals->hosts_evicted = a->hosts.evicted;
}
