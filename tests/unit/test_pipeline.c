// SPDX-License-Identifier: GPL-2.0
/* The real pipeline, merge and engine; the source plays from memory and the sink takes notes. */
#include <errno.h>

#include "pipeline_rig.h"

static void test_file_from_end_to_end(void **state)
{
	struct rig *r = *state;

	add_handshake(&r->source, 1000 * MS, 40000);
	r->source.account[1].filtered = 17;
	r->source.per_drain = 1; /* so the window has to put them in order */
	run_all(r);
	assert_int_equal(r->sink.n_opened, 1);
	assert_int_equal(r->sink.opened.open, SHK_O_3WHS);
	assert_int_equal(r->sink.opened.syn_synack_ns, 10);
	assert_int_equal(r->sink.opened.synack_ack_ns, 20);
	assert_int_equal(r->sink.n_closed, 1);
	assert_int_equal(r->sink.summary.connections, 1);
	assert_int_equal(r->sink.summary.by_open[SHK_O_3WHS], 1);
	assert_int_equal(r->sink.summary.seen, 3);
	assert_int_equal(r->sink.summary.delivered, 3);
	assert_int_equal(r->sink.summary.lost, 0);
	assert_int_equal(r->sink.summary.filtered, 17);
	assert_int_equal(r->sink.summary.late, 0);
	assert_int_equal(r->sink.n_lost, 0);
}

static void test_reuse_of_a_tuple(void **state)
{
	struct rig *r = *state;

	add_handshake(&r->source, 1000 * MS, 40000);
	add_segment(&r->source, 0, 1001 * MS, 40000, true, SHK_TCP_RST | SHK_TCP_ACK, CLIENT_ISN + 1,
		    SERVER_ISN + 1);
	add_segment(&r->source, 0, 1003 * MS, 40000, true, SHK_TCP_SYN, CLIENT_ISN + 5000, 0);
	add_segment(&r->source, 1, 1003 * MS + 10, 40000, false, SHK_TCP_SYN | SHK_TCP_ACK, SERVER_ISN + 6000,
		    CLIENT_ISN + 5001);
	add_segment(&r->source, 0, 1003 * MS + 20, 40000, true, SHK_TCP_ACK, CLIENT_ISN + 5001,
		    SERVER_ISN + 6001);
	run_all(r);
	assert_int_equal(r->sink.n_closed, 2);
	assert_true(r->sink.opened.reuse.known);
	assert_true(r->sink.closed.reuse.known);
	assert_int_equal(r->sink.closed.reuse.verdict, SHK_SAFE_ISN);
	assert_int_equal(r->sink.closed.reuse.gap_ns, 2 * MS);
	assert_int_equal(r->sink.closed.reuse.margin, 4999);
	assert_int_equal(r->sink.summary.by_reuse[SHK_SAFE_ISN], 1);
	assert_int_equal(r->sink.summary.tuples_forgotten, 0);
}

static void test_empty_input(void **state)
{
	struct rig *r = *state;

	run_all(r);
	assert_int_equal(r->sink.n_opened + r->sink.n_closed, 0);
	assert_int_equal(r->sink.summary.connections, 0);
}

static void test_losses_are_reported_where_they_were(void **state)
{
	struct rig *r = *state;

	add_handshake(&r->source, 1000 * MS, 40000);
	add_lost(&r->source, 1, 2000 * MS, 3);
	add_lost(&r->source, 1, 2001 * MS, 0); /* an interrupting writer took the count */
	add_refused(&r->source, 3000 * MS, 40001);
	/* Stream 0 lost four more, and its ring stayed full. */
	r->source.account[0].seen += 4;
	r->source.account[0].lost += 4;
	run_all(r);

	assert_int_equal(r->sink.n_lost, 2);
	assert_string_equal(r->sink.losses[0].source, "memory");
	assert_int_equal(r->sink.losses[0].cpu, 1);
	assert_int_equal(r->sink.losses[0].count, 3);
	assert_int_equal(r->sink.losses[0].ts_ns, 2000 * MS);
	assert_int_equal(r->sink.losses[1].cpu, 0);
	assert_int_equal(r->sink.losses[1].count, 4);
	assert_int_equal(r->sink.summary.lost, 7);
	assert_int_equal(r->sink.summary.seen, 12);
	assert_int_equal(r->sink.summary.delivered, 5);
}

/* What CONNECTED says of the handshake above. */
static struct shk_event *add_connected(struct memory_source *sockets, uint16_t port)
{
	struct shk_event *ev = add(sockets, 0, 1000 * MS + 20);

	ev->kind = SHK_EV_SOCKET;
	ev->where = SHK_SOCK_CONNECTED;
	set_addr(ev->saddr, true);
	set_addr(ev->daddr, false);
	ev->sport = port;
	ev->dport = 443;
	ev->sock.iss = CLIENT_ISN;
	ev->sock.irs = SERVER_ISN;
	ev->sock.tgid = 77;
	ev->sock.owner = SHK_OWNER_CONNECT;
	sockets->account[0].seen++;
	sockets->account[0].delivered++;
	sockets->account[0].read++;
	return ev;
}

/* A second source, whose streams have the same numbers. */
static void add_second_source(struct rig *r, struct memory_source *sockets)
{
	sockets->base.ops = &second_ops;
	sockets->base.streams = STREAMS;
	sockets->base.poll_fd = r->source.base.poll_fd;
	sockets->base.witness = SHK_WITNESS_SOCKET;
	r->config.sources[1] = &sockets->base;
	r->config.n_sources = 2;
	r->sources[1] = second_ops.name;
}

static void test_two_witnesses(void **state)
{
	struct memory_source sockets = {0};
	struct rig *r = *state;

	make_live(r, 1);
	add_handshake(&r->source, 1000 * MS, 40000);
	add_second_source(r, &sockets);
	add_connected(&sockets, 40000);
	add_lost(&sockets, 1, 1000 * MS + 25, 2);
	r->source.held_for_stop = 0;
	r->config.duration_ns = 50 * MS;
	run_all(r);
	assert_true(sockets.started);
	assert_true(sockets.stopped);
	assert_int_equal(r->sink.opened.end[SHK_CLIENT].process.pid, 77);
	assert_true(r->sink.opened.witness_socket);
	assert_int_equal(r->sink.summary.seen, 6);
	assert_int_equal(r->sink.summary.delivered, 4);
	assert_int_equal(r->sink.summary.lost, 2);
	assert_int_equal(r->sink.n_lost, 1);
	assert_string_equal(r->sink.losses[0].source, "second");
	/* No segment is missing. */
	assert_int_equal(r->sink.closed.lost, 0);
}

/* A handshake in a namespace, and a socket in it that has another ISN. */
static void add_conflict(struct memory_source *wire, struct memory_source *sockets, uint32_t netns,
			 uint16_t port)
{
	unsigned int first = wire->n;
	struct shk_event *ev;

	add_handshake(wire, 1000 * MS, port);
	while (first < wire->n)
		wire->events[first++].netns = netns;
	ev = add_connected(sockets, port);
	ev->netns = netns;
	ev->sock.irs = SERVER_ISN + 1;
}

static void test_conflicts_are_told_to_the_source_that_counts_them(void **state)
{
	struct memory_source sockets = {0};
	struct rig *r = *state;

	make_live(r, 1);
	r->source.base.ops = &counting_ops;
	add_second_source(r, &sockets);
	add_conflict(&r->source, &sockets, 11, 40000);
	add_conflict(&r->source, &sockets, 11, 40001);
	add_conflict(&r->source, &sockets, 12, 40002);
	r->config.duration_ns = 50 * MS;
	run_all(r);
	assert_int_equal(r->sink.summary.by_conflict[0], 3);
	assert_int_equal(r->source.n_told, 2);
	assert_int_equal(r->source.told[0].netns, 11);
	assert_int_equal(r->source.told[0].count[0], 2);
	assert_int_equal(r->source.told[1].netns, 12);
	assert_int_equal(r->source.told[1].count[0], 1);
	assert_int_equal(r->source.told[1].count[1], 0);
	assert_int_equal(r->source.told[1].reserved, 0);
	assert_int_equal(sockets.n_told, 0);
}

static void test_agreement_is_not_told(void **state)
{
	struct memory_source sockets = {0};
	struct rig *r = *state;

	make_live(r, 1);
	r->source.base.ops = &counting_ops;
	add_handshake(&r->source, 1000 * MS, 40000);
	add_second_source(r, &sockets);
	add_connected(&sockets, 40000);
	r->config.duration_ns = 50 * MS;
	run_all(r);
	assert_true(r->sink.closed.witness_socket);
	assert_int_equal(r->source.n_told, 0);
}

static void test_conflicts_that_cannot_be_told(void **state)
{
	struct memory_source sockets = {0};
	struct rig *r = *state;

	make_live(r, 1);
	r->source.base.ops = &counting_ops;
	r->source.tell_rc = -EINVAL;
	add_second_source(r, &sockets);
	add_conflict(&r->source, &sockets, 11, 40000);
	add_conflict(&r->source, &sockets, 12, 40001);
	r->config.duration_ns = 50 * MS;
	start(r);
	assert_int_equal(shk_pipeline_run(r->pipeline, &r->err), 0);
	assert_int_equal(shk_pipeline_finish(r->pipeline, &r->err), -EINVAL);
	assert_string_equal(r->err.text, "no place for it");
	assert_int_equal(r->source.n_told, 1);
	assert_int_equal(r->sink.n_summary, 1);
}

static void test_each_source_is_balanced(void **state)
{
	struct memory_source sockets = {0};
	struct rig *r = *state;

	make_live(r, 1);
	add_handshake(&r->source, 1000 * MS, 40000);
	add_second_source(r, &sockets);
	add_connected(&sockets, 40000);
	sockets.account[1].seen++;
	r->config.duration_ns = 50 * MS;
	start(r);
	assert_int_equal(shk_pipeline_run(r->pipeline, &r->err), 0);
	assert_int_equal(shk_pipeline_finish(r->pipeline, &r->err), -EBADE);
	assert_non_null(strstr(r->err.text, "second, stream 1: seen 1, delivered 0"));
}

static void expect_mismatch(struct rig *r, const char *words)
{
	start(r);
	assert_int_equal(shk_pipeline_run(r->pipeline, &r->err), 0);
	assert_int_equal(shk_pipeline_finish(r->pipeline, &r->err), -EBADE);
	assert_non_null(strstr(r->err.text, "DO NOT MATCH"));
	assert_non_null(strstr(r->err.text, words));
	assert_int_equal(r->sink.n_summary, 1);
}

static void test_event_missing_from_the_account(void **state)
{
	struct rig *r = *state;

	add_refused(&r->source, 1000 * MS, 40000);
	r->source.account[0].seen++;
	expect_mismatch(r, "stream 0: seen 3, delivered 2, lost 0");
}

static void test_event_written_but_not_read(void **state)
{
	struct rig *r = *state;

	add_refused(&r->source, 1000 * MS, 40000);
	r->source.account[1].seen++;
	r->source.account[1].delivered++;
	expect_mismatch(r, "stream 1: seen 1, delivered 1, lost 0 (announced 0), read 0");
}

static void test_more_announced_than_lost(void **state)
{
	struct rig *r = *state;

	add_lost(&r->source, 0, 1000 * MS, 5);
	r->source.account[0].seen--;
	r->source.account[0].lost--;
	expect_mismatch(r, "lost 4 (announced 5)");
}

static void test_event_read_but_not_passed_on(void **state)
{
	struct rig *r = *state;

	add_refused(&r->source, 1000 * MS, 40000);
	r->source.account[0].seen++;
	r->source.account[0].delivered++;
	r->source.account[0].read++;
	expect_mismatch(r, "3 events were read and 2 reached the engine");
}

static void test_count_ends_the_run(void **state)
{
	struct rig *r = *state;
	uint16_t i;

	/* Each stands still long before the next begins. */
	for (i = 0; i < 5; i++)
		add_refused(&r->source, (i + 1) * 1000000 * MS, 40000 + i);
	r->config.outlet.count = 2;
	start(r);
	assert_int_equal(shk_pipeline_run(r->pipeline, &r->err), 0);
	assert_int_equal(r->sink.n_closed, 2);
	assert_int_equal(shk_pipeline_finish(r->pipeline, &r->err), 0);
	assert_int_equal(r->sink.summary.connections, r->sink.n_closed);
}

static void test_no_reader_ends_quietly(void **state)
{
	struct rig *r = *state;
	unsigned int calls;

	add_refused(&r->source, 1000 * MS, 40000);
	add_refused(&r->source, 2000 * MS, 40001);
	r->sink.fail_at = 2; /* header, then the first record */
	start(r);
	assert_int_equal(shk_pipeline_run(r->pipeline, &r->err), -EPIPE);
	calls = r->sink.calls;
	assert_int_equal(calls, 2);
	/* The accounts are compared all the same, and nothing is written any more. */
	assert_int_equal(shk_pipeline_finish(r->pipeline, &r->err), -EPIPE);
	assert_int_equal(r->sink.calls, calls);
}

static void test_source_that_does_not_start(void **state)
{
	struct rig *r = *state;

	r->source.start_rc = -EBUSY;
	r->pipeline = shk_pipeline_new(&r->config);
	assert_non_null(r->pipeline);
	assert_int_equal(shk_pipeline_start(r->pipeline, &r->err), -EBUSY);
	assert_string_equal(r->err.text, "no start");
}

static void test_live_stops_on_request(void **state)
{
	struct rig *r = *state;

	make_live(r, 1);
	add_handshake(&r->source, now_ns(CLOCK_MONOTONIC), 40000);
	r->source.held_for_stop = 1; /* the ACK is still in the ring when the source stops */
	r->config.stop_fd = r->fds[0] = eventfd(1, EFD_CLOEXEC);
	run_all(r);
	assert_int_equal(r->source.played, 3);
	assert_int_equal(r->sink.n_opened, 1);
	assert_int_equal(r->sink.opened.open, SHK_O_3WHS);
	assert_true(r->sink.n_flush >= 2);
}

/* Events stay for the window, and then appear without anything else happening: long before the duration. */
static void test_live_count(void **state)
{
	struct rig *r = *state;

	make_live(r, 0);
	r->config.outlet.engine.linger_ns = 1 * MS;
	r->config.window_ns = 5 * MS;
	r->config.outlet.count = 1;
	r->config.duration_ns = 900 * MS;
	add_refused(&r->source, now_ns(CLOCK_MONOTONIC), 40000);
	start(r);
	assert_int_equal(shk_pipeline_run(r->pipeline, &r->err), 0);
	assert_int_equal(r->sink.n_closed, 1);
	assert_int_equal(r->sink.closed.open, SHK_O_REFUSED);
	assert_int_equal(shk_pipeline_finish(r->pipeline, &r->err), 0);
}

static void test_live_duration(void **state)
{
	struct rig *r = *state;
	uint64_t begin_ns = now_ns(CLOCK_MONOTONIC);

	make_live(r, 0);
	r->config.duration_ns = 30 * MS;
	run_all(r);
	assert_true(now_ns(CLOCK_MONOTONIC) - begin_ns >= 30 * MS);
}

static void test_live_reader_gone(void **state)
{
	struct rig *r = *state;

	make_live(r, 0);
	assert_int_equal(pipe(r->fds), 0);
	close(r->fds[0]);
	r->fds[0] = -1;
	r->config.out_fd = r->fds[1];
	start(r);
	assert_int_equal(shk_pipeline_run(r->pipeline, &r->err), -EPIPE);
}

static void test_live_clock(void **state)
{
	struct rig *r = *state;
	int64_t offset, error;

	make_live(r, 1);
	r->config.stop_fd = r->fds[0] = eventfd(1, EFD_CLOEXEC);
	start(r);
	/* Events come after the start, so the engine knows the offset by then. */
	add_refused(&r->source, now_ns(CLOCK_MONOTONIC), 40000);
	assert_int_equal(shk_pipeline_run(r->pipeline, &r->err), 0);
	assert_int_equal(shk_pipeline_finish(r->pipeline, &r->err), 0);

	offset = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC);
	error = r->sink.header.real_offset_ns - offset;
	assert_true(error > -(int64_t)(1000 * MS) && error < (int64_t)(1000 * MS));
	assert_int_equal(r->sink.closed.real_offset_ns, r->sink.header.real_offset_ns);
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_file_from_end_to_end),
		RIG_TEST(test_empty_input),
		RIG_TEST(test_reuse_of_a_tuple),
		RIG_TEST(test_losses_are_reported_where_they_were),
		RIG_TEST(test_two_witnesses),
		RIG_TEST(test_conflicts_are_told_to_the_source_that_counts_them),
		RIG_TEST(test_agreement_is_not_told),
		RIG_TEST(test_conflicts_that_cannot_be_told),
		RIG_TEST(test_each_source_is_balanced),
		RIG_TEST(test_event_missing_from_the_account),
		RIG_TEST(test_event_written_but_not_read),
		RIG_TEST(test_more_announced_than_lost),
		RIG_TEST(test_event_read_but_not_passed_on),
		RIG_TEST(test_count_ends_the_run),
		RIG_TEST(test_no_reader_ends_quietly),
		RIG_TEST(test_source_that_does_not_start),
		RIG_TEST(test_live_stops_on_request),
		RIG_TEST(test_live_count),
		RIG_TEST(test_live_duration),
		RIG_TEST(test_live_reader_gone),
		RIG_TEST(test_live_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
