// SPDX-License-Identifier: GPL-2.0
/* The second witness on the running kernel: whose sockets these are, and how their lives begin and end. */
#include <errno.h>
#include <netinet/tcp.h>

#include "socket_rig.h"

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
	stop_source();

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
	stop_source();
	close(listening);

	assert_int_equal(count(SHK_SOCK_ACCEPTED, port), TASKS);
	for (int i = 0; i < TASKS; i++)
		for (unsigned int j = 0; j < seen.n; j++)
			found += seen.events[j].where == SHK_SOCK_ACCEPTED &&
				 seen.events[j].sock.tgid == (uint32_t)servers[i];
	assert_int_equal(found, TASKS);
}

/*
 * A program that interrupts itself is not run: what it would have told is announced as lost, or more than
 * that. It takes an interrupt in the midst of it, which on a slow machine is not rare.
 */
static bool is_told_or_announced(enum shk_sock_where where, unsigned int n)
{
	unsigned int told = count(where, 0);

	return told <= n && told + seen.announced >= n;
}

static bool are_closes_accounted_for(const void *n)
{
	return is_told_or_announced(SHK_SOCK_CLOSED, *(const unsigned int *)n);
}

static void every_connection_has_ports_and_processes(void **state)
{
	enum { N = 2000 };
	const unsigned int closes = 2 * N;
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
	wait_until(are_closes_accounted_for, &closes, "an end of each socket");
	stop_source();
	close(listening);

	assert_true(is_told_or_announced(SHK_SOCK_CONNECTED, N));
	assert_true(is_told_or_announced(SHK_SOCK_ACCEPTED, N));
	assert_true(is_told_or_announced(SHK_SOCK_CLOSED, closes));
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

static void accept_says_whether_the_listener_waits_for_data(void **state)
{
	int seconds = 5, listening, fd;
	uint16_t port;

	(void)state;
	for (int deferred = 0; deferred < 2; deferred++) {
		start(0);
		listening = listen_on(&port, 8);
		if (deferred)
			assert_int_equal(setsockopt(listening, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds,
						    sizeof(seconds)),
					 0);
		fd = connect_to(port, NULL);
		assert_int_equal(write(fd, "x", 1), 1);
		close(accept(listening, NULL, NULL));
		close(fd);
		wait_for(SHK_SOCK_CLOSED, 0, 2);
		stop_source();
		close(listening);
		assert_int_equal(!!(find(SHK_SOCK_ACCEPTED, port)->sock.flags & SHK_SOCK_DEFERRED), deferred);
		close_source(NULL);
	}
}

/* accept() returns the socket above, and the connection that came in is below it. */
static void who_accepts_a_connection_of_mptcp_is_known(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP), fd, accepted;
	const struct shk_event *ev;
	socklen_t len = sizeof(at);
	uint16_t port;

	(void)state;
	if (listening < 0)
		skip(); /* a kernel without MPTCP, or one that has it turned off */
	start(0);
	assert_int_equal(bind(listening, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listening, 8), 0);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&at, &len), 0);
	port = ntohs(at.sin_port);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	accepted = accept(listening, NULL, NULL);
	wait_for(SHK_SOCK_ACCEPTED, port, 1);
	stop_source();
	close(fd);
	close(accepted);
	close(listening);

	ev = find(SHK_SOCK_ACCEPTED, port);
	assert_int_equal(ev->sock.tgid, getpid());
	assert_int_equal(ev->sock.owner, SHK_OWNER_ACCEPT);
	assert_int_equal(ev->dport, ntohs(at.sin_port));
	assert_int_equal(ev->sock.iss, find(SHK_SOCK_CONNECTED, ev->dport)->sock.irs);
	assert_in_range(ev->sock.value, 1, PATIENCE_S * 1000000000ULL);
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
	stop_source();
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
	stop_source();
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
	stop_source();

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
	struct pollfd octet = {.events = fin ? POLLRDHUP : POLLIN}, reset = {0};
	uint16_t port, own = 0;
	int listening, fd, accepted;

	start(0);
	listening = listen_on(&port, 8);
	fd = connect_to(port, &own);
	accepted = accept(listening, NULL, NULL);
	assert_int_equal(write(fd, "x", 1), 1);
	if (fin)
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
	/* A busy processor leaves what it sends over loopback to a thread of the kernel. */
	octet.fd = accepted;
	assert_int_equal(poll(&octet, 1, PATIENCE_S * 1000), 1);
	close(accepted);
	reset.fd = fd;
	assert_int_equal(poll(&reset, 1, PATIENCE_S * 1000), 1);
	close(fd);
	wait_for(SHK_SOCK_CLOSED, 0, 2);
	stop_source();
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOURCE_TEST(a_connection_has_two_owners_and_one_pair_of_isns),
		SOURCE_TEST(tasks_that_were_blocked_in_accept_lose_nothing),
		SOURCE_TEST(every_connection_has_ports_and_processes),
		SOURCE_TEST(accept_says_whether_the_listener_waits_for_data),
		SOURCE_TEST(who_accepts_a_connection_of_mptcp_is_known),
		SOURCE_TEST(who_accepted_stays_the_owner_of_a_descriptor_passed_on),
		SOURCE_TEST(sockets_that_existed_are_shown_with_their_isns),
		SOURCE_TEST(a_refused_connect_is_closed_with_its_error),
		SOURCE_TEST(octets_never_read_are_told),
	};

	try_source(shk_source_socket_open);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
