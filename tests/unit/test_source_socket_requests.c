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

/* A connection of the ghost that is over for it, and in TIME-WAIT on this host. The ISN of this host. */
static uint32_t ghost_into_time_wait(int listening, uint16_t port, enum shk_sock_where end)
{
	uint32_t isn;
	int fd;

	ghost_send(4000, port, TH_SYN, 1000, 0);
	isn = ghost_synack(4000);
	ghost_send(4000, port, TH_ACK, 1001, isn + 1);
	fd = accept(listening, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	ghost_send(4000, port, TH_FIN | TH_ACK, 1001, isn + 2);
	wait_for(end, port, 1);
	close(fd);
	return isn;
}

/* Then somebody comes from the port of the one before, with a higher number. */
static void a_time_wait_given_up_is_told(void **state)
{
	const struct shk_event *ev;
	uint32_t isn;
	uint16_t port;
	int listening;

	(void)state;
	start(0);
	need("shk_timewait_segment");
	ghost_open();
	listening = listen_on(&port, 8);
	isn = ghost_into_time_wait(listening, port, SHK_SOCK_CLOSED);
	ghost_send(4000, port, TH_SYN, 900000, 0);
	wait_for(SHK_SOCK_TIME_WAIT_BROKEN, port, 1);
	wait_for(SHK_SOCK_TIME_WAIT_ENDED, port, 1);
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

/* Whose last ACK was lost sends its FIN again; that is in the window no more. */
static void a_time_wait_begun_anew_is_told(void **state)
{
	const struct shk_event *ev;
	uint32_t isn;
	uint16_t port;
	int listening;

	(void)state;
	start(0);
	need("shk_timewait_schedule");
	ghost_open();
	listening = listen_on(&port, 8);
	isn = ghost_into_time_wait(listening, port, SHK_SOCK_CLOSED);
	assert_int_equal(count(SHK_SOCK_TIME_WAIT_RESTARTED, 0), 0);
	ghost_send(4000, port, TH_FIN | TH_ACK, 1001, isn + 2);
	wait_for(SHK_SOCK_TIME_WAIT_RESTARTED, port, 1);
	stop_source();
	ev = find(SHK_SOCK_TIME_WAIT_RESTARTED, port);
	assert_int_equal(ev->sock.old_state, 6);
	assert_int_equal(ev->sock.new_state, 6);
	assert_int_equal((uint32_t)(ev->sock.value >> 32), isn + 2);
	close(listening);
	ghost_close();
}

static void a_close_without_room_for_its_time_wait_is_told(void **state)
{
	const struct shk_event *ev;
	uint32_t isn;
	uint16_t port;
	int listening;

	(void)state;
	start(0);
	need("shk_timewait_refused");
	sysctl("tcp_max_tw_buckets", "0");
	ghost_open();
	listening = listen_on(&port, 8);
	isn = ghost_into_time_wait(listening, port, SHK_SOCK_TIME_WAIT_REFUSED);
	stop_source();
	ev = find(SHK_SOCK_TIME_WAIT_REFUSED, port);
	assert_int_equal(ev->dport, 4000);
	assert_int_equal(ev->sock.iss, isn);
	assert_int_equal(ev->sock.irs, 1000);
	assert_int_equal(ev->sock.old_state, 5);
	assert_int_equal(ev->sock.new_state, 7);
	close(listening);
	ghost_close();
}

/*
 * ---- Requests ------------------------------------------------------------------------------------
 */

static void a_request_is_told_from_its_birth_where_no_hook_shows_it(void **state)
{
	const struct shk_event *ev;
	uint32_t isn;
	uint16_t port;
	int listening;

	(void)state;
	start(0);
	need("shk_request_made");
	ghost_open();
	listening = listen_on(&port, 8);
	ghost_send(4000, port, TH_SYN, 1000, 0);
	isn = ghost_synack(4000);
	wait_for(SHK_SOCK_REQUEST_MADE, port, 1);
	stop_source();
	ev = find(SHK_SOCK_REQUEST_MADE, port);
	assert_int_equal(ev->dport, 4000);
	assert_int_equal(ev->netns, own_netns);
	assert_int_equal(ev->sock.iss, isn);
	assert_int_equal(ev->sock.irs, 1000);
	assert_int_equal(ev->sock.flags, SHK_SOCK_PASSIVE);
	assert_int_equal(ev->sock.old_state, 10);
	assert_int_equal(ev->sock.new_state, 12);
	close(listening);
	ghost_close();
}

/* There it would be a record more for each connection, and tell nothing. */
static void a_request_is_not_told_of_where_hooks_show_it(void **state)
{
	uint16_t port;
	int listening;

	(void)state;
	start(0);
	need("shk_request_made");
	stop_source();
	close_source(NULL);
	start_source((struct shk_source_config){.hooks = SHK_HOOKS_NETFILTER});
	listening = listen_on(&port, 8);
	close(connect_to(port, NULL));
	wait_for(SHK_SOCK_CONNECTED, 0, 1);
	stop_source();
	assert_int_equal(count(SHK_SOCK_REQUEST_MADE, 0), 0);
	close(listening);
}

static void a_request_that_is_reset_is_told_and_one_that_succeeds_is_not(void **state)
{
	const struct shk_event *ev;
	uint32_t isn;
	uint16_t port;
	int listening;

	(void)state;
	start(0);
	need("shk_request_drop");
	ghost_open();
	listening = listen_on(&port, 8);
	close(connect_to(port, NULL));
	ghost_send(4000, port, TH_SYN, 1000, 0);
	isn = ghost_synack(4000);
	ghost_send(4000, port, TH_RST, 1001, 0);
	wait_for(SHK_SOCK_REQUEST_DROPPED, port, 1);
	stop_source();
	ev = find(SHK_SOCK_REQUEST_DROPPED, port);
	assert_int_equal(ev->dport, 4000);
	assert_int_equal(ev->netns, own_netns);
	assert_int_equal(ev->sock.iss, isn);
	assert_int_equal(ev->sock.irs, 1000);
	assert_int_equal(ev->sock.old_state, 12);
	assert_int_equal(ev->sock.new_state, 7);
	assert_int_equal(count(SHK_SOCK_REQUEST_EXPIRED, 0), 0);
	close(listening);
	ghost_close();
}

/* Its timer looks after a second: is somebody still listening? */
static void expired(bool listener_closes, enum shk_reason reason)
{
	const struct shk_event *ev;
	uint16_t port;
	int listening;

	start(0);
	need("shk_request_drop");
	sysctl("tcp_synack_retries", "1");
	ghost_open();
	listening = listen_on(&port, 8);
	ghost_send(4000, port, TH_SYN, 1000, 0);
	ghost_synack(4000);
	if (listener_closes)
		close(listening);
	wait_for(SHK_SOCK_REQUEST_EXPIRED, port, 1);
	stop_source();
	ev = find(SHK_SOCK_REQUEST_EXPIRED, port);
	assert_int_equal(ev->dport, 4000);
	assert_int_equal(ev->sock.reason, reason);
	assert_int_equal(ev->sock.value, listener_closes ? 0 : 1);
	assert_int_equal(count(SHK_SOCK_REQUEST_DROPPED, 0), 0);
	if (!listener_closes)
		close(listening);
	ghost_close();
}

static void a_request_that_nobody_answers_is_told(void **state)
{
	(void)state;
	expired(false, SHK_REASON_NONE);
}

static void a_request_without_a_listener_is_told(void **state)
{
	(void)state;
	expired(true, SHK_REASON_LISTENER_CLOSED);
}

/*
 * ---- SYN cookies ---------------------------------------------------------------------------------
 */

#define TSVAL 0, 0, 1, 0xf4

static const uint8_t syn_options[] = {
	TCPOPT_SACK_PERMITTED, 2, TCPOPT_TIMESTAMP, 10, TSVAL, 0, 0, 0, 0, TCPOPT_NOP, TCPOPT_WINDOW, 3, 9,
};

/* From a listener in whose namespace every SYN is answered by a cookie; the cookie. */
static uint32_t get_cookie(uint16_t port, bool with_options)
{
	ghost_send_with(4000, port, TH_SYN, 1000, 0, syn_options, with_options ? sizeof(syn_options) : 0);
	return ghost_synack(4000);
}

static void bring_back(uint16_t port, uint32_t cookie, bool with_options)
{
	uint8_t options[12] = {TCPOPT_NOP, TCPOPT_NOP, TCPOPT_TIMESTAMP, 10, TSVAL};
	uint32_t tsecr = htonl(ghost.tsval);

	memcpy(options + 8, &tsecr, sizeof(tsecr));
	ghost_send_with(4000, port, TH_ACK, 1001, cookie + 1, options, with_options ? sizeof(options) : 0);
}

static void cookie_goes_and_comes(bool with_options, uint32_t bits)
{
	const struct shk_event *sent, *validated;
	uint32_t cookie;
	uint16_t port;
	int listening;

	start(0);
	need("shk_cookie_sent");
	need("shk_cookie_check");
	sysctl("tcp_syncookies", "2");
	ghost_open();
	listening = listen_on(&port, 8);
	cookie = get_cookie(port, with_options);
	bring_back(port, cookie, with_options);
	wait_for(SHK_SOCK_COOKIE_VALIDATED, port, 1);
	stop_source();
	sent = find(SHK_SOCK_COOKIE_SENT, port);
	validated = find(SHK_SOCK_COOKIE_VALIDATED, port);
	assert_int_equal(sent->dport, 4000);
	assert_int_equal(sent->netns, own_netns);
	assert_int_equal(sent->sock.iss, cookie);
	assert_int_equal(sent->sock.irs, 1000);
	assert_int_equal(validated->dport, 4000);
	assert_int_equal(validated->sock.iss, cookie);
	assert_int_equal(validated->sock.irs, 1000);
	assert_int_equal(validated->sock.new_state, 3);
	assert_int_equal((uint32_t)validated->sock.value, bits);
	/* The segments tell the same to who knows the offset. */
	if (with_options)
		assert_int_equal((ghost.tsval - (uint32_t)(validated->sock.value >> 32)) & 0x3f, bits & 0x3f);
	assert_memory_equal(sent->saddr, validated->saddr, sizeof(sent->saddr));
	assert_memory_equal(sent->daddr, validated->daddr, sizeof(sent->daddr));
	close(listening);
	ghost_close();
}

static void a_cookie_keeps_in_its_timestamp_what_it_would_forget(void **state)
{
	(void)state;
	cookie_goes_and_comes(true, SHK_COOKIE_TIMESTAMPS | SHK_COOKIE_SACK | 9);
}

static void a_cookie_without_timestamps_forgets(void **state)
{
	(void)state;
	cookie_goes_and_comes(false, 0);
}

static void an_ack_without_a_valid_cookie_is_told(void **state)
{
	const struct shk_event *ev;
	uint16_t port;
	int listening;

	(void)state;
	start(0);
	sysctl("tcp_syncookies", "2");
	ghost_open();
	listening = listen_on(&port, 8);
	bring_back(port, get_cookie(port, false) + 556, false);
	wait_for(SHK_SOCK_RESET_SENT, port, 1);
	stop_source();
	ev = find(SHK_SOCK_RESET_SENT, port);
	assert_int_equal(ev->dport, 4000);
	assert_int_equal(ev->sock.old_state, 10);
	assert_int_equal(ev->sock.reason, SHK_REASON_INVALID_COOKIE);
	assert_int_equal(count(SHK_SOCK_COOKIE_VALIDATED, 0), 0);
	close(listening);
	ghost_close();
}

static void a_valid_cookie_for_which_there_is_no_room_is_told(void **state)
{
	const struct shk_event *ev;
	int listening, clients[2];
	uint32_t cookie;
	uint16_t port;

	(void)state;
	start(0);
	need("shk_cookie_check");
	sysctl("tcp_syncookies", "2");
	ghost_open();
	listening = listen_on(&port, 1);
	cookie = get_cookie(port, false);
	for (int i = 0; i < 2; i++)
		assert_true((clients[i] = connect_to(port, NULL)) >= 0);
	/* connect() returns before the last ACK has been taken. */
	wait_for(SHK_SOCK_COOKIE_VALIDATED, port, 2);
	bring_back(port, cookie, false);
	wait_for(SHK_SOCK_ACK_REFUSED, port, 1);
	stop_source();
	ev = find(SHK_SOCK_ACK_REFUSED, port);
	assert_int_equal(ev->dport, 4000);
	assert_int_equal(ev->sock.iss, cookie);
	assert_int_equal(ev->sock.irs, 1000);
	assert_int_equal(ev->sock.old_state, 10);
	assert_int_equal(ev->sock.new_state, 10);
	assert_int_equal(ev->sock.reason, SHK_REASON_ACCEPT_QUEUE_FULL);
	assert_int_equal(ev->sock.value, 2);
	close(clients[0]);
	close(clients[1]);
	close(listening);
	ghost_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOURCE_TEST(a_third_ack_dropped_for_a_full_queue_is_told),
		SOURCE_TEST(a_third_ack_reset_for_a_full_queue_is_told),
		SOURCE_TEST(a_time_wait_given_up_is_told),
		SOURCE_TEST(a_time_wait_begun_anew_is_told),
		SOURCE_TEST(a_close_without_room_for_its_time_wait_is_told),
		SOURCE_TEST(a_request_is_told_from_its_birth_where_no_hook_shows_it),
		SOURCE_TEST(a_request_is_not_told_of_where_hooks_show_it),
		SOURCE_TEST(a_request_that_is_reset_is_told_and_one_that_succeeds_is_not),
		SOURCE_TEST(a_request_that_nobody_answers_is_told),
		SOURCE_TEST(a_request_without_a_listener_is_told),
		SOURCE_TEST(a_cookie_keeps_in_its_timestamp_what_it_would_forget),
		SOURCE_TEST(a_cookie_without_timestamps_forgets),
		SOURCE_TEST(an_ack_without_a_valid_cookie_is_told),
		SOURCE_TEST(a_valid_cookie_for_which_there_is_no_room_is_told),
	};

	try_source(shk_source_socket_open);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
