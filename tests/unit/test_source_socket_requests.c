// SPDX-License-Identifier: GPL-2.0
/* The second witness before a connection and after it: requests that become none, and minisocks. */
#include "ghost.h"

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
	stop_source();
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
	stop_source();
	ev = find(SHK_SOCK_TIME_WAIT_BROKEN, port);
	assert_int_equal(ev->dport, 4000);
	assert_int_equal(ev->sock.old_state, 6);
	assert_int_equal(ev->sock.new_state, 10);
	assert_int_equal((uint32_t)(ev->sock.value >> 32), isn + 2);
	assert_int_equal((uint32_t)ev->sock.value, 1002);
	close(listening);
	ghost_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOURCE_TEST(a_third_ack_dropped_for_a_full_queue_is_told),
		SOURCE_TEST(a_third_ack_reset_for_a_full_queue_is_told),
		SOURCE_TEST(a_time_wait_given_up_is_told),
	};

	try_source(shk_source_socket_open);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
