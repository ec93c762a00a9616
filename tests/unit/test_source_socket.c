// SPDX-License-Identifier: GPL-2.0
/*
 * The second witness on the running kernel: real sockets over loopback, in a network namespace of this test.
 * Takes root and a kernel that has BPF; otherwise every test is skipped, and says so.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <linux/if_ether.h>
#include <mntent.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "cgroups.h"
#include "self_test.h"
#include "source_socket.h"

#define EVENTS_MAX 20000
#define PATIENCE_S 20

static uint32_t own_netns;
static bool able;

static struct {
	struct shk_source *source;
	struct shk_event events[EVENTS_MAX];
	unsigned int n;
	uint64_t announced; /* sum of SHK_EV_LOST */
	struct shk_cgroups *cgroups;
} seen;

/*
 * ---- The witness ---------------------------------------------------------------------------------
 */

static void collect(void *arg, unsigned int stream, const struct shk_event *ev)
{
	(void)arg, (void)stream;
	if (ev->kind == SHK_EV_LOST)
		seen.announced += ev->lost.count;
	else if (seen.n < EVENTS_MAX)
		seen.events[seen.n++] = *ev;
}

static void drain(void)
{
	struct shk_error err = {0};
	int n;

	do
		n = seen.source->ops->drain(seen.source, collect, NULL, &err);
	while (n > 0);
	if (n < 0)
		fail_msg("drain: %s", err.text);
}

static void start(uint32_t slots)
{
	const struct shk_source_config config = {
		.netns = own_netns, .ring_slots = slots, .cgroups = seen.cgroups};
	struct shk_error err = {0};

	if (!able)
		skip();
	seen.n = 0;
	seen.announced = 0;
	seen.source = shk_source_socket_open(&config, &err);
	if (!seen.source || seen.source->ops->start(seen.source, &err))
		fail_msg("%s", err.text);
	drain();
}

static void stop(void)
{
	struct shk_error err = {0};

	assert_int_equal(seen.source->ops->stop(seen.source, &err), 0);
	drain();
}

/* What earlier tests left in TIME-WAIT stays behind in their namespaces. */
static int enter_namespace(void **state)
{
	struct shk_error err = {0};

	(void)state;
	return able ? shk_self_test_namespace(&own_netns, &err) : 0;
}

static int close_source(void **state)
{
	(void)state;
	if (seen.source)
		seen.source->ops->close(seen.source);
	seen.source = NULL;
	shk_cgroups_free(seen.cgroups);
	seen.cgroups = NULL;
	return 0;
}

static unsigned int count(enum shk_sock_where where, uint16_t own_port)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < seen.n; i++)
		n += seen.events[i].where == where && (!own_port || seen.events[i].sport == own_port);
	return n;
}

/* The only one of its kind, from the end with that port. */
static const struct shk_event *find(enum shk_sock_where where, uint16_t own_port)
{
	assert_int_equal(count(where, own_port), 1);
	for (unsigned int i = 0; i < seen.n; i++)
		if (seen.events[i].where == where && seen.events[i].sport == own_port)
			return &seen.events[i];
	return NULL;
}

static void wait_for(enum shk_sock_where where, uint16_t own_port, unsigned int wanted)
{
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += PATIENCE_S;
	for (;;) {
		drain();
		if (count(where, own_port) >= wanted)
			return;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec >= end.tv_sec)
			fail_msg("%u of %u events of kind %d", count(where, own_port), wanted, where);
		poll(NULL, 0, 5);
	}
}

/*
 * ---- The sockets ---------------------------------------------------------------------------------
 */

static int listen_on(uint16_t *port, int backlog)
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
static int connect_to(uint16_t port, uint16_t *own)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
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
static void finish(int fd)
{
	char octet;

	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(read(fd, &octet, 1), 0);
	close(fd);
}

/* A child that accepts @n connections and closes each when its peer has; it ends without a word to cmocka. */
static pid_t fork_server(int listening, unsigned int n)
{
	pid_t child = fork();

	if (child)
		return child;
	alarm(2 * PATIENCE_S);
	while (n--) {
		int fd = accept(listening, NULL, NULL);
		char octet;

		if (fd < 0 || read(fd, &octet, 1) != 0)
			_exit(1);
		close(fd);
	}
	_exit(0);
}

static void reap(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Until the process waits in a system call that the test knows it ends up in. */
static void wait_until_asleep(pid_t pid)
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

/*
 * ---- Tests ---------------------------------------------------------------------------------------
 */

static void a_connection_has_two_owners_and_one_pair_of_isns(void **state)
{
	const struct shk_event *connected, *accepted, *closed;
	uint16_t port, own = 0;
	int listening;
	pid_t server;

	(void)state;
	start(0);
	listening = listen_on(&port, 8);
	server = fork_server(listening, 1);
	finish(connect_to(port, &own));
	reap(server);
	wait_for(SHK_SOCK_CLOSED, 0, 2);
	stop();

	connected = find(SHK_SOCK_CONNECTED, own);
	accepted = find(SHK_SOCK_ACCEPTED, port);
	assert_int_equal(connected->sock.tgid, getpid());
	assert_int_equal(connected->sock.owner, SHK_OWNER_CONNECT);
	assert_int_equal(accepted->sock.tgid, server);
	assert_int_equal(accepted->sock.owner, SHK_OWNER_ACCEPT);
	assert_string_equal(accepted->sock.comm, connected->sock.comm);
	assert_int_equal(connected->dport, port);
	assert_int_equal(accepted->dport, own);
	assert_int_equal(connected->netns, own_netns);
	assert_int_equal(connected->sock.iss, accepted->sock.irs);
	assert_int_equal(connected->sock.irs, accepted->sock.iss);
	assert_int_not_equal(connected->sock.cookie, 0);
	assert_int_not_equal(connected->sock.cookie, accepted->sock.cookie);
	assert_in_range(accepted->sock.value, 1, PATIENCE_S * 1000000000ULL);

	closed = find(SHK_SOCK_CLOSED, port);
	assert_int_equal(closed->sock.old_state, 9);
	assert_int_equal(closed->sock.new_state, 7);
	assert_int_equal(closed->sock.iss, accepted->sock.iss);
	assert_int_equal(closed->sock.cookie, accepted->sock.cookie);
	assert_false(closed->sock.flags & SHK_SOCK_UNREAD);
	closed = find(SHK_SOCK_CLOSED, own);
	assert_int_equal(closed->sock.old_state, 5);
	assert_int_equal(closed->sock.new_state, 6);
	assert_int_equal(closed->sock.sk_err, 0);
	assert_int_equal(closed->sock.tgid, getpid());
	/* One SYN and one FIN each way, and nothing between. */
	assert_int_equal((uint32_t)(closed->sock.value >> 32), closed->sock.iss + 2);
	assert_int_equal((uint32_t)closed->sock.value, closed->sock.irs + 2);
	close(listening);
}

/* A cgroup of this test, or "" where none can be made. */
static void make_cgroup(char path[512])
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	path[0] = '\0';
	while (mounts && !path[0] && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "cgroup2"))
			snprintf(path, 512, "%s/shk-unit-%d", m->mnt_dir, getpid());
	if (mounts)
		endmntent(mounts);
	if (path[0] && mkdir(path, 0755))
		path[0] = '\0';
}

/* Moves into the cgroup, connects and is gone. */
static pid_t fork_client_in(const char *cgroup, uint16_t port)
{
	pid_t child = fork();
	char procs[600];
	FILE *f;

	if (child)
		return child;
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", cgroup);
	f = fopen(procs, "w");
	if (!f || fprintf(f, "%d", getpid()) < 0 || fclose(f))
		_exit(1);
	finish(connect_to(port, NULL));
	_exit(0);
}

static void a_cgroup_is_known_after_it_is_gone(void **state)
{
	const struct shk_event *connected = NULL;
	char cgroup[512], end[64];
	uint16_t port;
	int listening;
	const char *path;
	pid_t client, server;

	(void)state;
	if (!able)
		skip();
	make_cgroup(cgroup);
	if (!cgroup[0])
		skip();
	seen.cgroups = shk_cgroups_new(0);
	start(0);
	listening = listen_on(&port, 8);
	server = fork_server(listening, 1);
	client = fork_client_in(cgroup, port);
	/* The child is still there, or its exit has not been collected: so is the cgroup. */
	wait_for(SHK_SOCK_CONNECTED, 0, 1);
	reap(client);
	reap(server);
	assert_int_equal(rmdir(cgroup), 0);
	wait_for(SHK_SOCK_CLOSED, 0, 2);
	stop();
	close(listening);

	for (unsigned int i = 0; i < seen.n; i++)
		if (seen.events[i].where == SHK_SOCK_CONNECTED)
			connected = &seen.events[i];
	assert_int_equal(connected->sock.tgid, client);
	path = shk_cgroups_path(seen.cgroups, connected->sock.cgroup);
	snprintf(end, sizeof(end), "/shk-unit-%d", getpid());
	assert_non_null(path);
	assert_string_equal(path + strlen(path) - strlen(end), end);
}

static void tasks_that_were_blocked_in_accept_lose_nothing(void **state)
{
	enum { TASKS = 20 };
	pid_t servers[TASKS];
	unsigned int found = 0;
	uint16_t port;
	int listening;

	(void)state;
	if (!able)
		skip();
	listening = listen_on(&port, 64);
	for (int i = 0; i < TASKS; i++)
		servers[i] = fork_server(listening, 1);
	for (int i = 0; i < TASKS; i++)
		wait_until_asleep(servers[i]);
	start(0);
	for (int i = 0; i < TASKS; i++)
		finish(connect_to(port, NULL));
	for (int i = 0; i < TASKS; i++)
		reap(servers[i]);
	wait_for(SHK_SOCK_ACCEPTED, port, TASKS);
	stop();
	close(listening);

	assert_int_equal(count(SHK_SOCK_ACCEPTED, port), TASKS);
	for (int i = 0; i < TASKS; i++)
		for (unsigned int j = 0; j < seen.n; j++)
			found += seen.events[j].where == SHK_SOCK_ACCEPTED &&
				 seen.events[j].sock.tgid == (uint32_t)servers[i];
	assert_int_equal(found, TASKS);
}

static void every_connection_has_ports_and_processes(void **state)
{
	enum { N = 2000 };
	uint16_t port;
	int listening;
	pid_t server;

	(void)state;
	start(0);
	listening = listen_on(&port, 64);
	server = fork_server(listening, N);
	for (int i = 0; i < N; i++) {
		finish(connect_to(port, NULL));
		drain();
	}
	reap(server);
	wait_for(SHK_SOCK_CLOSED, 0, 2 * N);
	stop();
	close(listening);

	assert_int_equal(count(SHK_SOCK_CONNECTED, 0), N);
	assert_int_equal(count(SHK_SOCK_ACCEPTED, 0), N);
	assert_int_equal(count(SHK_SOCK_CLOSED, 0), 2 * N);
	for (unsigned int i = 0; i < seen.n; i++) {
		const struct shk_event *ev = &seen.events[i];

		assert_int_not_equal(ev->sport, 0);
		assert_int_not_equal(ev->dport, 0);
		if (ev->where == SHK_SOCK_CONNECTED)
			assert_int_equal(ev->sock.tgid, getpid());
		if (ev->where == SHK_SOCK_ACCEPTED)
			assert_int_equal(ev->sock.tgid, server);
	}
}

/* The child accepts, hands the descriptor to this process and ends; this process closes it. */
static void who_accepted_stays_the_owner_of_a_descriptor_passed_on(void **state)
{
	union {
		char octets[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	char octet = '.';
	struct iovec iov = {.iov_base = &octet, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.octets,
			     .msg_controllen = sizeof(control.octets)};
	uint16_t port, own = 0;
	int listening, fd, passed, pair[2];
	pid_t server;

	(void)state;
	start(0);
	listening = listen_on(&port, 8);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	server = fork();
	if (!server) {
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

		alarm(2 * PATIENCE_S);
		passed = accept(listening, NULL, NULL);
		*c = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
		memcpy(CMSG_DATA(c), &passed, sizeof(passed));
		_exit(sendmsg(pair[0], &msg, 0) != 1);
	}
	fd = connect_to(port, &own);
	assert_int_equal(recvmsg(pair[1], &msg, 0), 1);
	memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(passed));
	reap(server);
	close(passed);
	close(fd);
	wait_for(SHK_SOCK_CLOSED, 0, 2);
	stop();
	close(listening);
	close(pair[0]);
	close(pair[1]);

	assert_int_equal(find(SHK_SOCK_ACCEPTED, port)->sock.tgid, server);
	assert_int_equal(find(SHK_SOCK_CONNECTED, own)->sock.tgid, getpid());
}

static void sockets_that_existed_are_shown_with_their_isns(void **state)
{
	const struct shk_event *client, *server;
	char data[5000] = {0};
	uint16_t port, own = 0;
	int listening, fd, accepted;

	(void)state;
	if (!able)
		skip();
	listening = listen_on(&port, 8);
	fd = connect_to(port, &own);
	accepted = accept(listening, NULL, NULL);
	assert_int_equal(write(fd, data, sizeof(data)), sizeof(data));
	assert_int_equal(recv(accepted, data, sizeof(data), MSG_WAITALL), sizeof(data));
	start(0);
	wait_for(SHK_SOCK_EXISTED, own, 1);
	wait_for(SHK_SOCK_EXISTED, port, 1);
	close(fd);
	close(accepted);
	wait_for(SHK_SOCK_CLOSED, 0, 2);
	stop();
	close(listening);

	client = find(SHK_SOCK_EXISTED, own);
	server = find(SHK_SOCK_EXISTED, port);
	assert_int_equal(client->sock.flags, SHK_SOCK_PREEXISTING | SHK_SOCK_ACTIVE);
	assert_int_equal(server->sock.flags, SHK_SOCK_PREEXISTING | SHK_SOCK_PASSIVE);
	assert_int_equal(client->sock.owner, SHK_OWNER_HOLDS);
	assert_int_equal(client->sock.tgid, getpid());
	assert_int_equal(server->sock.tgid, getpid());
	assert_int_equal(client->sock.iss, server->sock.irs);
	assert_int_equal(client->sock.irs, server->sock.iss);
	assert_int_equal((uint32_t)(client->sock.value >> 32), client->sock.iss + 1 + sizeof(data));
	/* And the same ISNs when they end. */
	assert_int_equal(find(SHK_SOCK_CLOSED, own)->sock.iss, client->sock.iss);
	assert_int_equal(find(SHK_SOCK_CLOSED, port)->sock.iss, server->sock.iss);
}

static void a_refused_connect_is_closed_with_its_error(void **state)
{
	const struct shk_event *closed;
	uint16_t port;

	(void)state;
	start(0);
	close(listen_on(&port, 1));
	assert_int_equal(connect_to(port, NULL), -1);
	wait_for(SHK_SOCK_CLOSED, 0, 1);
	stop();

	assert_int_equal(count(SHK_SOCK_CLOSED, 0), 1);
	for (unsigned int i = 0; i < seen.n; i++) {
		if (seen.events[i].where != SHK_SOCK_CLOSED)
			continue;
		closed = &seen.events[i];
		assert_int_equal(closed->dport, port);
		assert_int_equal(closed->sock.sk_err, ECONNREFUSED);
		assert_int_equal(closed->sock.old_state, 2);
		assert_int_equal(closed->sock.irs, 0);
		assert_int_equal(closed->sock.tgid, getpid());
		return;
	}
}

/* With a FIN behind them or without: it counts as an octet of the sequence, not as one to be read. */
static void check_unread(bool fin)
{
	uint16_t port, own = 0;
	int listening, fd, accepted;

	start(0);
	listening = listen_on(&port, 8);
	fd = connect_to(port, &own);
	accepted = accept(listening, NULL, NULL);
	assert_int_equal(write(fd, "x", 1), 1);
	if (fin)
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
	close(accepted);
	close(fd);
	wait_for(SHK_SOCK_CLOSED, 0, 2);
	stop();
	close(listening);

	assert_true(find(SHK_SOCK_CLOSED, port)->sock.flags & SHK_SOCK_UNREAD);
	assert_int_equal(find(SHK_SOCK_CLOSED, own)->sock.sk_err, ECONNRESET);
	assert_false(find(SHK_SOCK_CLOSED, own)->sock.flags & SHK_SOCK_UNREAD);
	close_source(NULL);
}

static void octets_never_read_are_told(void **state)
{
	(void)state;
	check_unread(false);
	check_unread(true);
}

static void a_full_ring_loses_exactly_what_it_says(void **state)
{
	enum { N = 500 };
	uint64_t lost = 0, delivered = 0, unannounced = 0;
	struct shk_account a;
	struct shk_error err;
	uint16_t port;
	int listening;
	pid_t server;

	(void)state;
	start(64);
	listening = listen_on(&port, 64);
	server = fork_server(listening, N);
	for (int i = 0; i < N; i++)
		finish(connect_to(port, NULL));
	reap(server);
	/* Room again: the next events are preceded by what was lost. */
	drain();
	server = fork_server(listening, 1);
	finish(connect_to(port, NULL));
	reap(server);
	stop();
	close(listening);

	for (unsigned int i = 0; i < seen.source->streams; i++) {
		assert_int_equal(seen.source->ops->account(seen.source, i, &a, &err), 0);
		assert_int_equal(a.seen, a.delivered + a.lost);
		assert_int_equal(a.read, a.delivered);
		lost += a.lost;
		delivered += a.delivered;
	}
	assert_true(lost > 0);
	assert_int_equal(delivered, seen.n);
	unannounced = lost - seen.announced;
	assert_true(seen.announced <= lost);
	assert_true(unannounced < lost);
}

static void another_namespace_is_not_looked_at(void **state)
{
	struct shk_source_config config = {.netns = own_netns + 1};
	struct shk_error err = {0};

	(void)state;
	if (!able)
		skip();
	memset(&seen, 0, sizeof(seen));
	seen.source = shk_source_socket_open(&config, &err);
	assert_non_null(seen.source);
	assert_int_equal(seen.source->ops->start(seen.source, &err), 0);
	assert_int_equal(shk_self_test_traffic(&err), 0);
	stop();
	assert_int_equal(seen.n, 0);
}

/* The numbers of the programs that a process has descriptors of. */
static unsigned int programs_of(pid_t pid, uint32_t *ids, unsigned int max)
{
	unsigned int n = 0;
	char path[64], line[128];
	FILE *f;

	for (int fd = 0; fd < 256 && n < max; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
		f = fopen(path, "r");
		while (f && n < max && fgets(line, sizeof(line), f))
			n += sscanf(line, "prog_id: %u", &ids[n]) == 1;
		if (f)
			fclose(f);
	}
	return n;
}

static bool program_exists(uint32_t id)
{
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void a_killed_observer_leaves_nothing(void **state)
{
	uint32_t ids[64];
	unsigned int n, tries = 0;
	char octet;
	int ready[2];
	pid_t child;

	(void)state;
	if (!able)
		skip();
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (!child) {
		start(0);
		if (write(ready[1], ".", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &octet, 1), 1);
	n = programs_of(child, ids, sizeof(ids) / sizeof(ids[0]));
	assert_in_range(n, 5, sizeof(ids) / sizeof(ids[0]) - 1);
	for (unsigned int i = 0; i < n; i++)
		assert_true(program_exists(ids[i]));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (unsigned int i = 0; i < n; i++)
		while (program_exists(ids[i])) {
			assert_true(++tries < PATIENCE_S * 100);
			poll(NULL, 0, 10);
		}
	close(ready[0]);
	close(ready[1]);
}

/*
 * ---- A client made by hand -----------------------------------------------------------------------
 *
 * At 10.9.9.9, which is nobody's: what is sent there comes back over loopback and is dropped. So only what
 * the test sends answers the kernel.
 */

#define GHOST "10.9.9.9"

static struct {
	int send;
	int tap;
} ghost;

static void sysctl(const char *name, const char *value)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(value, f) > 0);
	assert_int_equal(fclose(f), 0);
}

/* Skips the test where the kernel does not allow the program that it is about. */
static void need(const char *program)
{
	const struct shk_socket_programs *p = shk_source_socket_programs(seen.source);

	for (unsigned int i = 0; i < p->n; i++)
		if (!strcmp(p->points[i].program, program) && p->points[i].state == SHK_POINT_ATTACHED)
			return;
	skip();
}

static void ghost_open(void)
{
	/* iproute2 is here for the other tests of namespaces too. */
	assert_int_equal(system("ip route add " GHOST "/32 dev lo"), 0);
	ghost.send = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	ghost.tap = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_IP));
	assert_true(ghost.send >= 0 && ghost.tap >= 0);
}

static void ghost_close(void)
{
	close(ghost.send);
	close(ghost.tap);
}

static uint16_t tcp_checksum(const struct iphdr *ip, const struct tcphdr *tcp)
{
	const uint16_t *a = (const uint16_t *)&ip->saddr, *t = (const uint16_t *)tcp;
	uint32_t sum = htons(IPPROTO_TCP) + htons(sizeof(*tcp));

	for (int i = 0; i < 4; i++)
		sum += a[i];
	for (size_t i = 0; i < sizeof(*tcp) / 2; i++)
		sum += t[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

static void ghost_send(uint16_t from, uint16_t to, uint8_t flags, uint32_t seq, uint32_t ack)
{
	struct {
		struct iphdr ip;
		struct tcphdr tcp;
	} packet = {
		.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP},
		.tcp = {.source = htons(from), .dest = htons(to), .seq = htonl(seq), .ack_seq = htonl(ack)},
	};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	packet.ip.tot_len = htons(sizeof(packet));
	packet.ip.saddr = inet_addr(GHOST);
	packet.ip.daddr = at.sin_addr.s_addr;
	packet.tcp.doff = 5;
	packet.tcp.window = htons(1000);
	packet.tcp.th_flags = flags;
	packet.tcp.check = tcp_checksum(&packet.ip, &packet.tcp);
	assert_int_equal(sendto(ghost.send, &packet, sizeof(packet), 0, (struct sockaddr *)&at, sizeof(at)),
			 sizeof(packet));
}

/* The ISN of the SYN+ACK that the kernel sent to this port. */
static uint32_t ghost_synack(uint16_t port)
{
	unsigned char octets[128];
	const struct iphdr *ip = (const void *)octets;
	const struct tcphdr *tcp = (const void *)(octets + sizeof(*ip));

	for (int i = 0; i < PATIENCE_S * 200; i++) {
		while (recv(ghost.tap, octets, sizeof(octets), 0) >= (ssize_t)(sizeof(*ip) + sizeof(*tcp)))
			if (ip->daddr == inet_addr(GHOST) && ntohs(tcp->dest) == port && tcp->syn && tcp->ack)
				return ntohl(tcp->seq);
		poll(NULL, 0, 5);
	}
	fail_msg("no SYN+ACK to port %u", port);
	return 0;
}

/* A request, then the queue fills up, then the request's ACK comes. */
static void third_ack_refused(const char *abort_on_overflow, uint8_t new_state)
{
	const struct shk_event *ev;
	int listening, clients[2];
	uint16_t port;
	uint32_t isn;

	start(0);
	need("shk_third_ack");
	sysctl("tcp_abort_on_overflow", abort_on_overflow);
	ghost_open();
	listening = listen_on(&port, 1);
	ghost_send(4000, port, TH_SYN, 1000, 0);
	isn = ghost_synack(4000);
	for (int i = 0; i < 2; i++)
		assert_true((clients[i] = connect_to(port, NULL)) >= 0);
	ghost_send(4000, port, TH_ACK, 1001, isn + 1);
	wait_for(SHK_SOCK_ACK_REFUSED, port, 1);
	stop();
	ev = find(SHK_SOCK_ACK_REFUSED, port);
	assert_int_equal(ev->dport, 4000);
	assert_int_equal(ev->netns, own_netns);
	assert_int_equal(ev->sock.reason, SHK_REASON_ACCEPT_QUEUE_FULL);
	assert_int_equal(ev->sock.value, 2);
	assert_int_equal(ev->sock.iss, isn);
	assert_int_equal(ev->sock.irs, 1000);
	assert_int_equal(ev->sock.old_state, 12);
	assert_int_equal(ev->sock.new_state, new_state);
	close(clients[0]);
	close(clients[1]);
	close(listening);
	ghost_close();
}

static void a_third_ack_dropped_for_a_full_queue_is_told(void **state)
{
	(void)state;
	third_ack_refused("0", 12);
}

static void a_third_ack_reset_for_a_full_queue_is_told(void **state)
{
	(void)state;
	third_ack_refused("1", 7);
}

/* The server closes first; then somebody comes from the port of the one before, with a higher number. */
static void a_time_wait_given_up_is_told(void **state)
{
	const struct shk_event *ev;
	uint32_t isn;
	uint16_t port;
	int listening, fd;

	(void)state;
	start(0);
	need("shk_timewait_segment");
	ghost_open();
	listening = listen_on(&port, 8);
	ghost_send(4000, port, TH_SYN, 1000, 0);
	isn = ghost_synack(4000);
	ghost_send(4000, port, TH_ACK, 1001, isn + 1);
	fd = accept(listening, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	ghost_send(4000, port, TH_FIN | TH_ACK, 1001, isn + 2);
	wait_for(SHK_SOCK_CLOSED, port, 1);
	close(fd);
	ghost_send(4000, port, TH_SYN, 900000, 0);
	wait_for(SHK_SOCK_TIME_WAIT_BROKEN, port, 1);
	stop();
	ev = find(SHK_SOCK_TIME_WAIT_BROKEN, port);
	assert_int_equal(ev->dport, 4000);
	assert_int_equal(ev->sock.old_state, 6);
	assert_int_equal(ev->sock.new_state, 10);
	assert_int_equal((uint32_t)(ev->sock.value >> 32), isn + 2);
	assert_int_equal((uint32_t)ev->sock.value, 1002);
	close(listening);
	ghost_close();
}

/* Every attach point is told of, as observing or as missing, unless another one serves. */
static void what_is_observed_is_told(void **state)
{
	static struct shk_facts facts;
	bool transitions = false, accepts = false;

	(void)state;
	facts.n = 0;
	start(0);
	seen.source->ops->facts(seen.source, &facts);
	stop();
	assert_in_range(facts.n, 7, SHK_FACTS_MAX - 1);
	for (size_t i = 0; i < facts.n; i++) {
		const struct shk_fact *fact = &facts.of[i];

		assert_string_equal(fact->witness, "socket");
		assert_true(!fact->without == !fact->why);
		transitions |= !strcmp(fact->through, "tp_btf inet_sock_set_state") && !fact->without;
		accepts |= strstr(fact->shows, "accept()") && !fact->without;
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(fact->shows, facts.of[j].shows);
	}
	assert_true(transitions);
	assert_true(accepts);
}

#define WITNESS_TEST(name) cmocka_unit_test_setup_teardown(name, enter_namespace, close_source)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITNESS_TEST(a_connection_has_two_owners_and_one_pair_of_isns),
		WITNESS_TEST(a_cgroup_is_known_after_it_is_gone),
		WITNESS_TEST(tasks_that_were_blocked_in_accept_lose_nothing),
		WITNESS_TEST(every_connection_has_ports_and_processes),
		WITNESS_TEST(who_accepted_stays_the_owner_of_a_descriptor_passed_on),
		WITNESS_TEST(sockets_that_existed_are_shown_with_their_isns),
		WITNESS_TEST(a_refused_connect_is_closed_with_its_error),
		WITNESS_TEST(octets_never_read_are_told),
		WITNESS_TEST(a_full_ring_loses_exactly_what_it_says),
		WITNESS_TEST(another_namespace_is_not_looked_at),
		WITNESS_TEST(a_third_ack_dropped_for_a_full_queue_is_told),
		WITNESS_TEST(a_third_ack_reset_for_a_full_queue_is_told),
		WITNESS_TEST(a_time_wait_given_up_is_told),
		WITNESS_TEST(a_killed_observer_leaves_nothing),
		WITNESS_TEST(what_is_observed_is_told),
	};
	struct shk_error err = {0};

	able = !shk_self_test_namespace(&own_netns, &err);
	if (able) {
		const struct shk_source_config config = {.netns = own_netns};
		struct shk_source *s = shk_source_socket_open(&config, &err);

		able = s;
		if (s)
			s->ops->close(s);
	}
	if (!able)
		fprintf(stderr, "# skipped: %s\n", err.text);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
