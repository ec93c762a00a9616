// SPDX-License-Identifier: GPL-2.0
#include "demo/forced.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OPTION_TIMESTAMPS 8
#define OPTION_NOP        1
#define WINDOW            64240
#define FLAGS_OFFSET      13 /* in the TCP header */

static int failed(struct shk_error *err, const char *what)
{
	return shk_error_set(err, -errno, "%s: %s", what, strerror(errno));
}

static int set_tcp(int fd, int option, int value)
{
	return setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value));
}

static int set_queue(int fd, int queue, uint32_t number)
{
	if (set_tcp(fd, TCP_REPAIR_QUEUE, queue) < 0)
		return -1;
	return set_tcp(fd, TCP_QUEUE_SEQ, number);
}

int shk_forced_isn(int fd, uint32_t isn, struct shk_error *err)
{
	if (set_tcp(fd, TCP_REPAIR, TCP_REPAIR_ON) < 0 || set_queue(fd, TCP_SEND_QUEUE, isn) < 0 ||
	    set_tcp(fd, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP) < 0)
		return failed(err, "TCP_REPAIR");
	return 0;
}

/*
 * ---- The accepting end ---------------------------------------------------------------------------
 */

/* An established socket answers a SYN with a challenge ACK (RFC 5961 4.2); this one is not to see it. */
static int ignore_syn(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_OFFSET),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SHK_TCP_SYN, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog filter = {sizeof(code) / sizeof(code[0]), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
}

static int agree_on_timestamps(int fd)
{
	const struct tcp_repair_opt agreed = {.opt_code = OPTION_TIMESTAMPS};

	return setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_OPTIONS, &agreed, sizeof(agreed));
}

/* Under repair connect() sends nothing: the socket is ESTABLISHED when it returns. */
static int put_together(int fd, const struct sockaddr_in *local, const struct sockaddr_in *peer, uint32_t isn,
			bool timestamps)
{
	const struct sockaddr *here = (const struct sockaddr *)local, *there = (const struct sockaddr *)peer;

	if (set_tcp(fd, TCP_REPAIR, TCP_REPAIR_ON) < 0 || bind(fd, here, sizeof(*local)) < 0)
		return -1;
	if (set_queue(fd, TCP_SEND_QUEUE, isn + 1) < 0 || set_queue(fd, TCP_RECV_QUEUE, isn + 1) < 0)
		return -1;
	if (ignore_syn(fd) < 0 || connect(fd, there, sizeof(*peer)) < 0)
		return -1;
	if (timestamps && agree_on_timestamps(fd) < 0)
		return -1;
	return set_tcp(fd, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP);
}

int shk_forced_accepted(const struct sockaddr_in *local, const struct sockaddr_in *peer, uint32_t isn,
			bool timestamps, struct shk_error *err)
{
	int fd, rc;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return failed(err, "socket");
	if (put_together(fd, local, peer, isn, timestamps) < 0) {
		rc = failed(err, "TCP_REPAIR, for the accepting end");
		close(fd);
		return rc;
	}
	return fd;
}

/*
 * ---- Its SYN+ACK ---------------------------------------------------------------------------------
 */

struct timestamps {
	uint8_t nop[2], kind, len;
	uint32_t tsval, tsecr;
};

struct synack {
	struct iphdr ip;
	struct tcphdr tcp;
	struct timestamps timestamps;
};

/* Of the pseudo-header and what follows it (RFC 9293 3.1); all in network byte order. */
static uint16_t checksum(const struct synack *synack, size_t tcp_size)
{
	const struct {
		uint32_t saddr, daddr;
		uint16_t protocol, size;
	} pseudo = {synack->ip.saddr, synack->ip.daddr, htons(IPPROTO_TCP), htons(tcp_size)};
	uint16_t words[(sizeof(pseudo) + sizeof(*synack)) / 2];
	uint32_t sum = 0;

	memcpy(words, &pseudo, sizeof(pseudo));
	memcpy((uint8_t *)words + sizeof(pseudo), &synack->tcp, tcp_size);
	for (size_t i = 0; i < (sizeof(pseudo) + tcp_size) / 2; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* The size of the TCP header. */
static size_t write_synack(struct synack *synack, const struct shk_event *syn, uint32_t isn, uint32_t tsval)
{
	bool timestamps = syn->seg.options & SHK_OPT_TIMESTAMPS;
	size_t size = sizeof(synack->tcp) + (timestamps ? sizeof(synack->timestamps) : 0);

	*synack = (struct synack){
		.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP},
		.tcp =
			{
				.source = htons(syn->dport),
				.dest = htons(syn->sport),
				.seq = htonl(isn),
				.ack_seq = htonl(syn->seg.seq + 1),
				.doff = size / 4,
				.syn = 1,
				.ack = 1,
				.window = htons(WINDOW),
			},
		.timestamps =
			{
				.nop = {OPTION_NOP, OPTION_NOP},
				.kind = OPTION_TIMESTAMPS,
				.len = 10,
				.tsval = htonl(tsval),
				.tsecr = htonl(syn->seg.tsval),
			},
	};
	synack->ip.saddr = shk_hosts_address(SHK_SERVER);
	synack->ip.daddr = shk_hosts_address(SHK_CLIENT);
	synack->tcp.check = checksum(synack, size);
	return size;
}

/* The kernel adds the length, the identification and the checksum of the IP header. */
static int send_synack(const struct synack *synack, size_t tcp_size, struct shk_error *err)
{
	const struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = synack->ip.daddr};
	int fd, rc = 0;

	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0)
		return failed(err, "raw socket");
	if (sendto(fd, synack, sizeof(synack->ip) + tcp_size, 0, (const struct sockaddr *)&to, sizeof(to)) <
	    0)
		rc = failed(err, "sending the SYN+ACK");
	close(fd);
	return rc;
}

int shk_forced_synack(int fd, const struct shk_wire_segment *syn, uint32_t isn, struct shk_error *err)
{
	struct synack synack;
	uint32_t tsval = 0;
	socklen_t len = sizeof(tsval);
	int rc, unused = 0;

	/* The clock of its socket, so that what the kernel sends next is no older. */
	if (getsockopt(fd, IPPROTO_TCP, TCP_TIMESTAMP, &tsval, &len) < 0)
		return failed(err, "TCP_TIMESTAMP");
	rc = send_synack(&synack, write_synack(&synack, &syn->ev, isn, tsval), err);
	if (!rc && setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)) < 0)
		rc = failed(err, "SO_DETACH_FILTER");
	return rc;
}
