/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client made by hand, at 10.9.9.9, which is nobody's: what is sent there comes back over loopback and is
 * dropped. So only what the test sends answers the kernel.
 */
#ifndef TEST_GHOST_H
#define TEST_GHOST_H

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "socket_rig.h"

#define GHOST "10.9.9.9"

static struct {
	int send;
	int tap;
	uint32_t tsval;		/* of the latest SYN+ACK, 0 if it had no timestamps */
} ghost;

static inline void sysctl(const char *name, const char *value)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(value, f) > 0);
	assert_int_equal(fclose(f), 0);
}

static inline void ghost_open(void)
{
	/* iproute2 is here for the other tests of namespaces too. */
	assert_int_equal(system("ip route add " GHOST "/32 dev lo"), 0);
	ghost.send = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	ghost.tap = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_IP));
	assert_true(ghost.send >= 0 && ghost.tap >= 0);
}

static inline void ghost_close(void)
{
	close(ghost.send);
	close(ghost.tap);
}

struct ghost_packet {
	struct iphdr ip;
	struct tcphdr tcp;
	uint8_t options[20];
};

static inline uint16_t tcp_checksum(const struct ghost_packet *packet, size_t tcp_size)
{
	const uint16_t *a = (const uint16_t *)&packet->ip.saddr, *t = (const uint16_t *)&packet->tcp;
	uint32_t sum = htons(IPPROTO_TCP) + htons(tcp_size);

	for (int i = 0; i < 4; i++)
		sum += a[i];
	for (size_t i = 0; i < tcp_size / 2; i++)
		sum += t[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

/* @size: of the options, a multiple of 4 */
static inline void ghost_send_with(uint16_t from, uint16_t to, uint8_t flags, uint32_t seq, uint32_t ack,
				   const uint8_t *options, size_t size)
{
	struct ghost_packet packet = {
		.ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP },
		.tcp = { .source = htons(from), .dest = htons(to), .seq = htonl(seq), .ack_seq = htonl(ack) },
	};
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	size_t tcp_size = sizeof(packet.tcp) + size;

	if (size)
		memcpy(packet.options, options, size);
	packet.ip.tot_len = htons(sizeof(packet.ip) + tcp_size);
	packet.ip.saddr = inet_addr(GHOST);
	packet.ip.daddr = at.sin_addr.s_addr;
	packet.tcp.doff = tcp_size / 4;
	packet.tcp.window = htons(1000);
	packet.tcp.th_flags = flags;
	packet.tcp.check = tcp_checksum(&packet, tcp_size);
	assert_int_equal(sendto(ghost.send, &packet, sizeof(packet.ip) + tcp_size, 0, (struct sockaddr *)&at,
				sizeof(at)),
			 sizeof(packet.ip) + tcp_size);
}

static inline void ghost_send(uint16_t from, uint16_t to, uint8_t flags, uint32_t seq, uint32_t ack)
{
	ghost_send_with(from, to, flags, seq, ack, NULL, 0);
}

static inline uint32_t tsval_of(const struct tcphdr *tcp)
{
	const uint8_t *option = (const uint8_t *)(tcp + 1), *end = (const uint8_t *)tcp + 4 * tcp->doff;
	uint32_t tsval;

	while (option + 10 <= end) {
		if (*option == TCPOPT_TIMESTAMP) {
			memcpy(&tsval, option + 2, sizeof(tsval));
			return ntohl(tsval);
		}
		option += *option == TCPOPT_NOP ? 1 : option[1] ? option[1] : 40;
	}
	return 0;
}

/* The ISN of the SYN+ACK that the kernel sent to this port. */
static inline uint32_t ghost_synack(uint16_t port)
{
	unsigned char octets[128];
	const struct iphdr *ip = (const void *)octets;
	const struct tcphdr *tcp = (const void *)(octets + sizeof(*ip));

	for (int i = 0; i < PATIENCE_S * 200; i++) {
		while (recv(ghost.tap, octets, sizeof(octets), 0) >= (ssize_t)(sizeof(*ip) + sizeof(*tcp))) {
			if (ip->daddr != inet_addr(GHOST) || ntohs(tcp->dest) != port || !tcp->syn ||
			    !tcp->ack)
				continue;
			ghost.tsval = tsval_of(tcp);
			return ntohl(tcp->seq);
		}
		poll(NULL, 0, 5);
	}
	fail_msg("no SYN+ACK to port %u", port);
	return 0;
}

#endif /* TEST_GHOST_H */
