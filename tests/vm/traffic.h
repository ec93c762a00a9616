/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections over loopback whose every segment has passed every hook when the call returns, so that a
 * test can stop its session then and count.
 */
#ifndef TEST_TRAFFIC_H
#define TEST_TRAFFIC_H

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static inline socklen_t traffic_address(struct sockaddr_storage *sa, int family, uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)sa;

	memset(sa, 0, sizeof(*sa));
	sa->ss_family = family;
	if (family == AF_INET6) {
		in6->sin6_port = htons(port);
		in6->sin6_addr = in6addr_loopback;
		return sizeof(*in6);
	}
	in->sin_port = htons(port);
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(*in);
}

static inline int traffic_listen(int family, uint16_t port)
{
	struct sockaddr_storage sa;
	socklen_t len = traffic_address(&sa, family, port);
	int fd = socket(family, SOCK_STREAM, 0);
	int one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&sa, len) || listen(fd, 16))
		err(2, "listening on port %u", port);
	return fd;
}

static inline int traffic_connect(int family, uint16_t port)
{
	struct sockaddr_storage sa;
	socklen_t len = traffic_address(&sa, family, port);
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0)
		err(2, "socket");
	if (!connect(fd, (struct sockaddr *)&sa, len))
		return fd;
	close(fd);
	return -1;
}

static inline void traffic_octet(int from, int to)
{
	char octet = 'x';

	if (send(from, &octet, 1, 0) != 1 || recv(to, &octet, 1, 0) != 1)
		err(2, "an octet");
}

/* Waits until the acknowledgment of our FIN has brought the socket into @state. */
static inline void traffic_wait(int fd, int state)
{
	struct tcp_info info = { .tcpi_state = TCP_ESTABLISHED };
	socklen_t len = sizeof(info);

	while (info.tcpi_state != state)
		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
			err(2, "TCP_INFO");
}

/*
 * The server closes, then the client: each FIN is acknowledged by a plain ACK of its own, which the gate has
 * to find. The client's would be delayed, in the hope of its FIN, were it not asked for.
 */
static inline void traffic_close(int server, int client)
{
	int one = 1;
	char octet;

	if (shutdown(server, SHUT_WR) || recv(client, &octet, 1, 0) != 0 ||
	    setsockopt(client, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one)))
		err(2, "the server's FIN");
	traffic_wait(server, TCP_FIN_WAIT2);
	if (shutdown(client, SHUT_WR))
		err(2, "the client's FIN");
	traffic_wait(client, TCP_CLOSE);
	close(server);
	close(client);
}

/* A connection with an octet in each direction. */
static inline void traffic_once(int listening, int family, uint16_t port)
{
	int client = traffic_connect(family, port);
	int server = accept(listening, NULL, NULL);

	if (client < 0 || server < 0)
		err(2, "connecting to port %u", port);
	traffic_octet(client, server);
	traffic_octet(server, client);
	traffic_close(server, client);
}

/* @count connections, one after the other. */
static inline void traffic(int family, uint16_t port, unsigned int count)
{
	int listening = traffic_listen(family, port);

	while (count--)
		traffic_once(listening, family, port);
	close(listening);
}

/* Two segments, SYN and RST. */
static inline void traffic_refused(void)
{
	if (traffic_connect(AF_INET, 9) >= 0)
		errx(2, "somebody listens on port 9");
}

/* From now on this process and its traffic, softirqs too, stay on one CPU and so in one ring. */
static inline void traffic_stays_on_this_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(2, "sched_setaffinity");
}

#endif /* TEST_TRAFFIC_H */
