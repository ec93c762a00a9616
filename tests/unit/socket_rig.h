/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the second witness share: real sockets over loopback, and what their source said of them.
 */
#ifndef TEST_SOCKET_RIG_H
#define TEST_SOCKET_RIG_H

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source_rig.h"
#include "source_socket.h"

static inline void start(uint32_t slots)
{
	start_source((struct shk_source_config){ .ring_slots = slots });
	drain();
}

/* Skips the test where the kernel does not allow the program that it is about. */
static inline void need(const char *program)
{
	const struct shk_socket_programs *p = shk_source_socket_programs(seen.source);

	for (unsigned int i = 0; i < p->n; i++)
		if (!strcmp(p->points[i].program, program) && p->points[i].state == SHK_POINT_ATTACHED)
			return;
	skip();
}

static inline unsigned int count(enum shk_sock_where where, uint16_t own_port)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < seen.n; i++)
		n += seen.events[i].where == where && (!own_port || seen.events[i].sport == own_port);
	return n;
}

/* The only one of its kind, from the end with that port. */
static inline const struct shk_event *find(enum shk_sock_where where, uint16_t own_port)
{
	assert_int_equal(count(where, own_port), 1);
	for (unsigned int i = 0; i < seen.n; i++)
		if (seen.events[i].where == where && seen.events[i].sport == own_port)
			return &seen.events[i];
	return NULL;
}

struct wanted_events {
	enum shk_sock_where where;
	uint16_t own_port;
	unsigned int n;
};

static inline bool are_there(const void *arg)
{
	const struct wanted_events *wanted = arg;

	return count(wanted->where, wanted->own_port) >= wanted->n;
}

static inline void wait_for(enum shk_sock_where where, uint16_t own_port, unsigned int n)
{
	const struct wanted_events wanted = { where, own_port, n };

	wait_until(are_there, &wanted, "what was waited for of the sockets");
}

/*
 * ---- The sockets ---------------------------------------------------------------------------------
 */

static inline int listen_on(uint16_t *port, int backlog)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

/* A descriptor, and its own port; -1 if it was refused. */
static inline int connect_to(uint16_t port, uint16_t *own)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in me;
	socklen_t len = sizeof(me);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&at, sizeof(at))) {
		close(fd);
		return -1;
	}
	if (own && getsockname(fd, (struct sockaddr *)&me, &len) == 0)
		*own = ntohs(me.sin_port);
	return fd;
}

/* Closes first: so this end goes to TIME-WAIT, in its socket's lifetime. */
static inline void finish(int fd)
{
	char octet;

	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(read(fd, &octet, 1), 0);
	close(fd);
}

/* A child that accepts @n connections and closes each when its peer has; it ends without a word to cmocka. */
static inline pid_t fork_server(int listening, unsigned int n)
{
	pid_t child = fork();

	if (child)
		return child;
	while (n--) {
		int fd;
		char octet;

		alarm(2 * PATIENCE_S);	/* anew for each: a slow machine takes long for many */
		fd = accept(listening, NULL, NULL);
		if (fd < 0 || read(fd, &octet, 1) != 0)
			_exit(1);
		close(fd);
	}
	_exit(0);
}

static inline void reap(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Until the process waits in a system call that the test knows it ends up in. */
static inline void wait_until_asleep(pid_t pid)
{
	char path[64], state;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < PATIENCE_S * 200; i++) {
		f = fopen(path, "r");
		state = '?';
		if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			state = '?';
		if (f)
			fclose(f);
		if (state == 'S')
			return;
		poll(NULL, 0, 5);
	}
	fail_msg("process %d does not wait", pid);
}

#endif /* TEST_SOCKET_RIG_H */
