// SPDX-License-Identifier: GPL-2.0
/*
 * Opens and closes an exact number of TCP connections over loopback, as fast as two processes can.
 *
 *	client process				server process
 *	connect, send -b octets			accept, read -b octets
 *	read to the end				send -b octets, close
 *	close
 *
 * -c client lets the client close first. -c reset lets it end each connection by RST (SO_LINGER 0).
 * Destinations rotate over 127.0.0.1, 127.0.0.2, ... so that no four-tuple is used twice below
 * 50,000 x 250 connections; -6 uses ::1 only. -u makes a network namespace of its own first, with a wide
 * port range.
 *
 * -j runs several such pairs, at ports one after the other. They share the -n connections: whoever is free
 * opens the next, so that all of them end together and the rate is that of all at work.
 *
 * Prints one line, "connections N seconds S rate R", when every connection has come to its end, and exits
 * with 0 only then.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum closer { CLOSE_SERVER, CLOSE_CLIENT, CLOSE_RESET };

static struct {
	unsigned long connections;
	size_t octets;
	uint16_t port;
	enum closer closer;
	bool ipv6;
	bool own_namespace;
	unsigned int pairs;
} opt = {.connections = 1000, .octets = 64, .port = 7000, .pairs = 1};

#define MAX_PAIRS 64

struct progress {
	atomic_ulong taken;               /* of the -n connections */
	atomic_ulong total_of[MAX_PAIRS]; /* what a pair will have opened in the end; 0: not known yet */
};

static struct progress *shared; /* between all processes */

#define PER_ADDRESS 50000UL

static char buffer[65536];

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(2, "%s", path);
	close(fd);
}

static void enter_own_namespace(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	if (unshare(CLONE_NEWNET))
		err(2, "unshare: a network namespace of its own needs root");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo))
		err(2, "lo up");
	close(fd);
	write_file("/proc/sys/net/ipv4/ip_local_port_range", "10240 65535");
}

static socklen_t address(struct sockaddr_storage *sa, uint16_t port, unsigned long serial)
{
	struct sockaddr_in *in = (struct sockaddr_in *)sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)sa;

	memset(sa, 0, sizeof(*sa));
	if (opt.ipv6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		in6->sin6_addr = in6addr_loopback;
		return sizeof(*in6);
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK + serial / PER_ADDRESS);
	return sizeof(*in);
}

static void send_all(int fd, size_t n)
{
	while (n) {
		ssize_t did = send(fd, buffer, n < sizeof(buffer) ? n : sizeof(buffer), MSG_NOSIGNAL);

		if (did < 0)
			err(1, "send");
		n -= did;
	}
}

/* Reads @n octets, or to the end of the stream if @n is SIZE_MAX. */
static void read_all(int fd, size_t n)
{
	while (n) {
		ssize_t did = read(fd, buffer, n < sizeof(buffer) ? n : sizeof(buffer));

		if (did < 0 && errno != ECONNRESET)
			err(1, "read");
		if (did <= 0)
			return;
		n -= n == SIZE_MAX ? 0 : (size_t)did;
	}
}

static int listener(uint16_t port)
{
	struct sockaddr_storage sa;
	socklen_t len = address(&sa, port, 0);
	int one = 1, fd;

	if (!opt.ipv6)
		((struct sockaddr_in *)&sa)->sin_addr.s_addr = htonl(INADDR_ANY);
	fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&sa, len) || listen(fd, 4096))
		err(2, "listen on port %u", port);
	return fd;
}

/* The client knows before it opens its last connection that it is the last. */
static void serve(int listening, const atomic_ulong *total)
{
	for (unsigned long served = 0; !served || served != *total; served++) {
		int fd = accept(listening, NULL, NULL);

		if (fd < 0)
			err(1, "accept");
		read_all(fd, opt.octets);
		if (opt.closer != CLOSE_RESET)
			send_all(fd, opt.octets);
		if (opt.closer != CLOSE_SERVER)
			read_all(fd, SIZE_MAX);
		close(fd);
	}
}

static void connect_once(unsigned long serial)
{
	struct linger now = {.l_onoff = 1};
	struct sockaddr_storage sa;
	socklen_t len = address(&sa, opt.port, serial);
	int fd = socket(sa.ss_family, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, len))
		err(1, "connect number %lu", serial);
	send_all(fd, opt.octets);
	if (opt.closer == CLOSE_RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	else
		read_all(fd, opt.closer == CLOSE_SERVER ? SIZE_MAX : opt.octets);
	close(fd);
}

/* Takes the number of a connection to open, one ahead, so as to say in time which is the last. */
static void open_all(unsigned long serial, atomic_ulong *total)
{
	unsigned long opened = 0, next;

	for (; serial < opt.connections; serial = next) {
		next = atomic_fetch_add(&shared->taken, 1);
		opened++;
		if (next >= opt.connections)
			*total = opened;
		connect_once(serial);
	}
}

static void wait_for(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child || status)
		errx(1, "process %d failed", child);
}

/* It ends with its parent, so that to kill the first is to end the load. */
static pid_t start_process(void)
{
	pid_t parent = getpid(), child = fork();

	if (child < 0)
		err(2, "fork");
	if (child == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent))
		_exit(1);
	return child;
}

/* One pair: this process is the client. Returns when both have come to their end. */
static void run_pair(unsigned int number, int listening, unsigned long first)
{
	atomic_ulong *total = &shared->total_of[number];
	pid_t server = start_process();

	opt.port += number;
	if (server == 0) {
		serve(listening, total);
		_exit(0);
	}
	open_all(first, total);
	wait_for(server);
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:b:p:c:j:6u")) != -1) {
		switch (c) {
		case 'n':
			opt.connections = strtoul(optarg, NULL, 10);
			break;
		case 'b':
			opt.octets = strtoul(optarg, NULL, 10);
			break;
		case 'p':
			opt.port = strtoul(optarg, NULL, 10);
			break;
		case 'c':
			opt.closer = !strcmp(optarg, "client")  ? CLOSE_CLIENT
				     : !strcmp(optarg, "reset") ? CLOSE_RESET
								: CLOSE_SERVER;
			break;
		case '6':
			opt.ipv6 = true;
			break;
		case 'j':
			opt.pairs = strtoul(optarg, NULL, 10);
			break;
		case 'u':
			opt.own_namespace = true;
			break;
		default:
			fprintf(stderr, "usage: load [-n connections] [-b octets] [-p port] "
					"[-c server|client|reset] [-j pairs] [-6] [-u]\n");
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	int listening[MAX_PAIRS];
	pid_t pair[MAX_PAIRS];
	double start, took;

	parse(argc, argv);
	if (opt.pairs < 1 || opt.pairs > MAX_PAIRS || opt.pairs > opt.connections)
		errx(2, "-j takes 1 to %d pairs, each with a connection at least", MAX_PAIRS);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		err(2, "mmap");
	if (opt.own_namespace)
		enter_own_namespace();
	for (unsigned int i = 0; i < opt.pairs; i++)
		listening[i] = listener(opt.port + i);
	shared->taken = opt.pairs; /* the first of each pair is given */
	start = now_s();
	for (unsigned int i = 0; i < opt.pairs; i++) {
		pair[i] = start_process();
		if (pair[i] == 0) {
			run_pair(i, listening[i], i);
			_exit(0);
		}
	}
	for (unsigned int i = 0; i < opt.pairs; i++)
		wait_for(pair[i]);
	took = now_s() - start;
	printf("connections %lu seconds %.3f rate %.0f\n", opt.connections, took, opt.connections / took);
	return 0;
}
