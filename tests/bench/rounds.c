// SPDX-License-Identifier: GPL-2.0
/*
 * What does a data segment cost? Sends one octet there and back over an established loopback
 * connection, -n times, and prints the mean time of a round in ns.
 *
 * A round is two data segments (each acknowledges the other), and each passes LOCAL_OUT, POST_ROUTING,
 * PRE_ROUTING and LOCAL_IN once: eight hook passages. In a VM whose clock counts instructions
 * (QEMU -icount shift=0) the figure is instructions.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int listener(struct sockaddr_in *sa)
{
	socklen_t len = sizeof(*sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*sa = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd < 0 || bind(fd, (struct sockaddr *)sa, len) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)sa, &len))
		err(2, "listen");
	return fd;
}

static void set_nodelay(int fd)
{
	int one = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		err(2, "TCP_NODELAY");
}

static void echo(int listening)
{
	int fd = accept(listening, NULL, NULL);
	char octet;

	if (fd < 0)
		err(2, "accept");
	set_nodelay(fd);
	while (read(fd, &octet, 1) == 1)
		if (write(fd, &octet, 1) != 1)
			err(2, "write");
	_exit(0);
}

static void rounds(int fd, long n)
{
	char octet = 'x';

	for (long i = 0; i < n; i++)
		if (write(fd, &octet, 1) != 1 || read(fd, &octet, 1) != 1)
			err(2, "round %ld", i);
}

int main(int argc, char **argv)
{
	long n = argc == 3 ? atol(argv[2]) : 10000;
	struct timespec a, b;
	struct sockaddr_in sa;
	int listening = listener(&sa);
	int fd;

	if (fork() == 0)
		echo(listening);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		err(2, "connect");
	set_nodelay(fd);
	rounds(fd, n / 10 + 100); /* caches, branch tables, congestion window */
	clock_gettime(CLOCK_MONOTONIC, &a);
	rounds(fd, n);
	clock_gettime(CLOCK_MONOTONIC, &b);
	close(fd);
	wait(NULL);
	printf("%.1f\n", ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec)) / n);
	return 0;
}
