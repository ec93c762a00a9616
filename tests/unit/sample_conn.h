/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections as the engine would report them, for the tests of the sinks. Each test alters what it is
 * about.
 */
#ifndef SAMPLE_CONN_H
#define SAMPLE_CONN_H

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "engine/conn.h"

#define SAMPLE_US	1000ULL
#define SAMPLE_MS	1000000ULL
#define SAMPLE_S	1000000000ULL

#define SAMPLE_CLIENT_ISN	3141592653U
#define SAMPLE_SERVER_ISN	2718281828U
#define SAMPLE_CLIENT_TSVAL	4294967200U	/* goes round in the course of it */
#define SAMPLE_SERVER_TSVAL	1700U

/* Monotonic 100 s is 2023-11-14 22:13:20 UTC. */
#define SAMPLE_START_NS		(100 * SAMPLE_S)
#define SAMPLE_OFFSET_NS	(1700000000LL * 1000000000LL - 100LL * 1000000000LL)

/* @address with a dot is IPv4 */
static inline void sample_end(struct shk_end *end, const char *address, uint16_t port)
{
	memset(end->addr, 0, sizeof(end->addr));
	if (strchr(address, ':')) {
		inet_pton(AF_INET6, address, end->addr);
	} else {
		memset(end->addr + 10, 0xff, 2);
		inet_pton(AF_INET, address, end->addr + 12);
	}
	end->port = port;
}

/* A three-way handshake between two namespaces of one host, just complete. */
static inline struct shk_conn sample_opened(void)
{
	struct shk_conn conn = {
		.id = 0x0123456789abcdefULL,
		.netns = 4026531840U,
		.first_ns = SAMPLE_START_NS,
		.last_ns = SAMPLE_START_NS + 181 * SAMPLE_US,
		.real_offset_ns = SAMPLE_OFFSET_NS,
		.local = SHK_BOTH,
		.open = SHK_O_3WHS,
		.syn_synack_ns = 150 * SAMPLE_US,
		.synack_ack_ns = 31 * SAMPLE_US,
		.open_total_ns = 181 * SAMPLE_US,
		.synack_acks_syn = 1,
		.ack_acks_synack = 1,
		.close = SHK_C_NONE,
		.close_by = SHK_NEITHER,
		.fin_ack_ns = SHK_UNKNOWN_NS,
		.fin_fin_ns = SHK_UNKNOWN_NS,
		.network_ns = SHK_UNKNOWN_NS,
		.host_ns = SHK_UNKNOWN_NS,
		.accept_wait_ns = SHK_UNKNOWN_NS,
		.time_wait_ns = SHK_UNKNOWN_NS,
		.half_close_ns = SHK_UNKNOWN_NS,
		.confidence = SHK_CERTAIN,
		.witness_wire = true,
	};
	struct shk_end *client = &conn.end[SHK_CLIENT], *server = &conn.end[SHK_SERVER];

	sample_end(client, "10.7.0.1", 44312);
	sample_end(server, "10.7.0.2", 80);
	client->isn_known = true;
	client->isn = SAMPLE_CLIENT_ISN;
	client->syn = 1;
	client->options = SHK_OPT_MSS | SHK_OPT_WSCALE | SHK_OPT_SACK_PERMITTED | SHK_OPT_TIMESTAMPS;
	client->syn_flags = SHK_TCP_SYN;
	client->mss = 1460;
	client->wscale = 7;
	client->tsval_known = true;
	client->tsval = SAMPLE_CLIENT_TSVAL;
	*server = (struct shk_end){
		.isn_known = true,
		.isn = SAMPLE_SERVER_ISN,
		.synack = 1,
		.options = client->options,
		.syn_flags = SHK_TCP_SYN | SHK_TCP_ACK,
		.mss = 1448,
		.wscale = 9,
		.tsval_known = true,
		.tsval = SAMPLE_SERVER_TSVAL,
	};
	sample_end(server, "10.7.0.2", 80);
	return conn;
}

/* The same, closed by the client with four segments. */
static inline struct shk_conn sample_closed(void)
{
	struct shk_conn conn = sample_opened();

	conn.last_ns = SAMPLE_START_NS + 180 * SAMPLE_MS;
	conn.close = conn.fins = SHK_C_4SEG;
	conn.end[SHK_CLIENT].fin_acked = conn.end[SHK_SERVER].fin_acked = true;
	conn.close_by = SHK_CLIENT;
	conn.fin_ack_ns = 42 * SAMPLE_US;
	conn.fin_fin_ns = 90 * SAMPLE_US;
	conn.end[SHK_CLIENT].fin = 1;
	conn.end[SHK_CLIENT].bytes_known = true;
	conn.end[SHK_CLIENT].bytes = 79;
	conn.end[SHK_SERVER].fin = 1;
	conn.end[SHK_SERVER].bytes_known = true;
	conn.end[SHK_SERVER].bytes = 14321;
	for (int i = 0; i < 2; i++) {
		conn.end[i].tsval_last_known = true;
		conn.end[i].tsval_last = conn.end[i].tsval + 180;
	}
	return conn;
}

/* Who holds that end; cgroup 0: not known */
static inline void sample_process(struct shk_end *end, const char *comm, uint32_t pid, uint64_t cgroup)
{
	end->process = (struct shk_process){ .pid = pid, .cgroup = cgroup };
	assert(strlen(comm) < sizeof(end->process.comm));
	strcpy(end->process.comm, comm);
}

/* A SYN to a port where nobody listens. */
static inline struct shk_conn sample_refused(void)
{
	struct shk_conn conn = sample_opened();
	struct shk_end *server = &conn.end[SHK_SERVER];

	conn.last_ns = SAMPLE_START_NS + 210 * SAMPLE_US;
	conn.open = SHK_O_REFUSED;
	conn.syn_synack_ns = SHK_UNKNOWN_NS;
	conn.synack_ack_ns = SHK_UNKNOWN_NS;
	conn.open_total_ns = SHK_UNKNOWN_NS;
	conn.synack_acks_syn = -1;
	conn.ack_acks_synack = -1;
	*server = (struct shk_end){ .rst = 1 };
	sample_end(server, "10.7.0.2", 81);
	return conn;
}

/* Seen on its way out of one end and into the other, 3, 9 and 12 us after it left. */
static inline void sample_stamp(struct shk_arrow *arrow, uint64_t ns)
{
	arrow->first_ns = ns;
	arrow->ts_ns[SHK_HOOK_LOCAL_OUT] = ns;
	arrow->ts_ns[SHK_HOOK_POST_ROUTING] = ns + 3 * SAMPLE_US;
	arrow->ts_ns[SHK_HOOK_PRE_ROUTING] = ns + 9 * SAMPLE_US;
	arrow->ts_ns[SHK_HOOK_LOCAL_IN] = ns + 12 * SAMPLE_US;
}

#define SAMPLE_ARROWS 7

/* Fills @arrows with the segments of sample_closed() and makes @conn point to them. */
static inline void sample_arrows(struct shk_conn *conn, struct shk_arrow arrows[SAMPLE_ARROWS])
{
	static const struct shk_arrow segments[SAMPLE_ARROWS] = {
		{
			.seq = SAMPLE_CLIENT_ISN,
			.tcp_flags = SHK_TCP_SYN,
			.from = SHK_CLIENT,
			.state = { SHK_SYN_SENT, SHK_SYN_RECEIVED },
		},
		{
			.seq = SAMPLE_SERVER_ISN,
			.ack = SAMPLE_CLIENT_ISN + 1,
			.tcp_flags = SHK_TCP_SYN | SHK_TCP_ACK,
			.from = SHK_SERVER,
			.state = { SHK_ESTABLISHED, SHK_SYN_RECEIVED },
			.proves = SHK_PROVES_SYN_ACKED,
		},
		{
			.seq = SAMPLE_CLIENT_ISN + 1,
			.ack = SAMPLE_SERVER_ISN + 1,
			.tcp_flags = SHK_TCP_ACK,
			.from = SHK_CLIENT,
			.state = { SHK_ESTABLISHED, SHK_ESTABLISHED },
			.proves = SHK_PROVES_SYNACK_ACKED,
		},
		{
			.seq = SAMPLE_CLIENT_ISN + 80,
			.ack = SAMPLE_SERVER_ISN + 14322,
			.tcp_flags = SHK_TCP_FIN | SHK_TCP_ACK,
			.from = SHK_CLIENT,
			.state = { SHK_FIN_WAIT_1, SHK_CLOSE_WAIT },
		},
		{
			.seq = SAMPLE_SERVER_ISN + 14322,
			.ack = SAMPLE_CLIENT_ISN + 81,
			.tcp_flags = SHK_TCP_ACK,
			.from = SHK_SERVER,
			.state = { SHK_FIN_WAIT_2, SHK_CLOSE_WAIT },
			.proves = SHK_PROVES_FIN_ACKED,
		},
		{
			.seq = SAMPLE_SERVER_ISN + 14322,
			.ack = SAMPLE_CLIENT_ISN + 81,
			.tcp_flags = SHK_TCP_FIN | SHK_TCP_ACK,
			.from = SHK_SERVER,
			.state = { SHK_TIME_WAIT, SHK_LAST_ACK },
		},
		{
			.seq = SAMPLE_CLIENT_ISN + 81,
			.ack = SAMPLE_SERVER_ISN + 14323,
			.tcp_flags = SHK_TCP_ACK,
			.from = SHK_CLIENT,
			.state = { SHK_TIME_WAIT, SHK_CLOSED },
			.proves = SHK_PROVES_FIN_ACKED,
		},
	};
	static const uint64_t at_us[SAMPLE_ARROWS] = { 0, 150, 181, 179890, 179932, 179980, 180000 };

	memcpy(arrows, segments, sizeof(segments));
	for (int i = 0; i < SAMPLE_ARROWS; i++)
		sample_stamp(&arrows[i], SAMPLE_START_NS + at_us[i] * SAMPLE_US);
	conn->arrows = arrows;
	conn->n_arrows = SAMPLE_ARROWS;
}

#endif /* SAMPLE_CONN_H */
