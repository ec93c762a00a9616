// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "self_test.h"

static int failed(const char *what, struct shk_error *err)
{
	return shk_error_set(err, -errno, "self-test: %s: %s", what, strerror(errno));
}

int shk_self_test_namespace(uint32_t *inode, struct shk_error *err)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	struct stat st;
	int fd, rc;

	if (unshare(CLONE_NEWNET) < 0)
		return failed("a network namespace of its own", err);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return failed("socket", err);
	rc = ioctl(fd, SIOCSIFFLAGS, &lo) < 0 ? failed("lo up", err) : 0;
	close(fd);
	if (rc)
		return rc;
	if (stat("/proc/self/ns/net", &st) < 0)
		return failed("/proc/self/ns/net", err);
	*inode = st.st_ino;
	return 0;
}

/* A socket bound to a free port of 127.0.0.1, which is written to *at. */
static int bound_socket(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd;

	*at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)at, len) == 0 && getsockname(fd, (struct sockaddr *)at, &len) == 0)
		return fd;
	close(fd);
	return -1;
}

static int connect_to(const struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* One connection from end to end. The client closes it, or resets it. */
static int converse(int listening, const struct sockaddr_in *at, bool reset)
{
	struct linger now = {.l_onoff = 1};
	int client, server;
	char octet = '.';

	client = connect_to(at);
	server = client < 0 ? -1 : accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	if (server >= 0 && send(client, &octet, 1, MSG_NOSIGNAL) == 1 && recv(server, &octet, 1, 0) == 1 &&
	    reset)
		setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	if (client >= 0)
		close(client);
	if (server < 0)
		return -1;
	while (recv(server, &octet, 1, 0) > 0)
		;
	close(server);
	return 0;
}

/* A port that was free a moment ago, in a namespace where nobody else is. */
static void knock_at_closed_port(void)
{
	struct sockaddr_in at;
	int fd = bound_socket(&at);

	if (fd < 0)
		return;
	close(fd);
	fd = connect_to(&at);
	if (fd >= 0)
		close(fd);
}

int shk_self_test_traffic(struct shk_error *err)
{
	struct sockaddr_in at;
	int fd = bound_socket(&at), rc = 0;

	if (fd < 0 || listen(fd, 8) < 0 || converse(fd, &at, false) < 0 || converse(fd, &at, true) < 0)
		rc = failed("a connection over loopback", err);
	if (fd >= 0)
		close(fd);
	knock_at_closed_port();
	return rc;
}
