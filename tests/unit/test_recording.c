// SPDX-License-Identifier: GPL-2.0
/* What was recorded and is told again gives the same bytes; a series is as good as one file. */
#include "recording_rig.h"

static void test_replay_shows_what_was_shown(void **state)
{
	struct recording_rig *r = *state;

	record_something(r);
	assert_int_equal(replay(r), 0);
	assert_same_bytes(r);
	assert_int_equal(times_in(r->replayed.text, "\"connection\""), 7);
	assert_int_equal(times_in(r->replayed.text, "\"source\":\"socket\",\"cpu\":3,\"count\":7"), 1);
	assert_non_null(strstr(r->replayed.text, "\"host\":\"some host\""));
	assert_non_null(strstr(r->replayed.text, "\"why\":\"this kernel has none\""));
	assert_non_null(strstr(r->replayed.text, "\"blind\":\"calls of another kind\""));
	assert_int_equal(r->totals.events, r->counts.delivered);
}

/* A late event is used otherwise than one in time: the mark must survive. */
static void test_late_events_stay_late(void **state)
{
	struct shk_event ev = {.kind = SHK_EV_SEGMENT, .sport = 1, .dport = 2, .seg.tcp_flags = SHK_TCP_SYN};
	struct recording_rig *r = *state;

	assert_int_equal(begin_recording(r), 0);
	tell_time(r, SECOND);
	ev.ts_ns = r->now_ns - 100 * MS;
	tell_event(r, 0, &ev, true);
	assert_int_equal(end_recording(r), 0);
	assert_non_null(strstr(r->live.text, "\"late\":1"));
	assert_int_equal(replay(r), 0);
	assert_same_bytes(r);
}

/* When time passed decides what is told first, and what of a flow is still known. */
static void test_time_passes_as_it_did(void **state)
{
	struct recording_rig *r = *state;
	uint16_t port;

	assert_int_equal(begin_recording(r), 0);
	for (port = 1; port < 2000; port++) {
		tell_segment(r, port, true, SHK_TCP_SYN, port, 0);
		tell_time(r, port % 7 * 100 * MS);
		if (port % 3 == 0)
			tell_refused(r, port);
	}
	assert_int_equal(end_recording(r), 0);
	assert_int_equal(replay(r), 0);
	assert_same_bytes(r);
}

static void test_empty_recording(void **state)
{
	struct recording_rig *r = *state;

	assert_int_equal(begin_recording(r), 0);
	assert_int_equal(end_recording(r), 0);
	assert_int_equal(replay(r), 0);
	assert_same_bytes(r);
}

/* The live run has said that something is wrong with them; a replay must not make that good. */
static void test_accounts_that_do_not_match(void **state)
{
	struct recording_rig *r = *state;

	assert_int_equal(begin_recording(r), 0);
	tell_connection(r, 40000);
	r->counts.seen = 17;
	assert_int_equal(shk_outlet_finish(r->outlet, r->now_ns, &r->counts, &r->err), 0);
	assert_int_equal(replay(r), 0);
	assert_same_bytes(r);
}

static void test_header_of_the_run_is_kept(void **state)
{
	const char *const path = ((struct recording_rig *)*state)->path;
	struct recording_rig *r = *state;
	struct shk_replay *replay;

	r->config.all_netns = true;
	record_something(r);
	replay = shk_replay_open(&path, 1, NULL, &r->err);
	assert_non_null(replay);
	assert_true(shk_replay_head(replay)->flags & SHK_RECORDING_ALL_NETNS);
	assert_int_equal(shk_replay_head(replay)->linger_ns, 100 * MS);
	assert_int_equal(shk_replay_head(replay)->hash_key[0], 17);
	shk_replay_free(replay);
}

static void test_filter(void **state)
{
	const char *const path = ((struct recording_rig *)*state)->path;
	struct recording_rig *r = *state;

	record_something(r);
	assert_int_equal(replay_files(r, &path, 1, "port 40001"), 0);
	assert_int_equal(times_in(r->replayed.text, "\"connection\""), 1);
	assert_int_equal(r->totals.filtered, r->totals.events - 6);
	/* What was lost may have been of any connection. */
	assert_non_null(strstr(r->replayed.text, "\"seen\":13,\"delivered\":6,\"lost\":7"));
	assert_int_equal(replay_files(r, &path, 1, "port and port"), -EINVAL);
}

static void tell_socket(struct recording_rig *r, uint64_t cgroup)
{
	struct shk_event ev = {.ts_ns = r->now_ns, .kind = SHK_EV_SOCKET, .where = SHK_SOCK_CONNECTED};

	ev.sport = 40000;
	ev.dport = 443;
	ev.sock.cgroup = cgroup;
	tell_event(r, 1, &ev, false);
}

static void test_names_come_back(void **state)
{
	struct recording_rig *r = *state;
	struct shk_cgroups *live = shk_cgroups_new(0);

	r->cgroups = shk_cgroups_new(0);
	assert_int_equal(shk_cgroups_add(live, 77, "/system.slice/a.service"), 0);
	assert_int_equal(shk_cgroups_add(live, 79, "/never seen"), 0);
	r->config.cgroups = live;
	assert_int_equal(begin_recording(r), 0);
	tell_socket(r, 77);
	tell_socket(r, 78); /* nobody knows it */
	assert_int_equal(shk_cgroups_add(live, 77, "/renamed"), 0);
	tell_socket(r, 77);
	assert_int_equal(end_recording(r), 0);
	assert_int_equal(replay(r), 0);
	assert_same_bytes(r);
	assert_string_equal(shk_cgroups_path(r->cgroups, 77), "/renamed");
	assert_null(shk_cgroups_path(r->cgroups, 78));
	assert_null(shk_cgroups_path(r->cgroups, 79));
	shk_cgroups_free(live);
}

/* The live table holds fewer, and asks the kernel anew for those that come again. */
static void test_names_of_many_cgroups_come_back(void **state)
{
	enum { MANY = SHK_CGROUPS_MAX_DEFAULT + 100 };
	struct recording_rig *r = *state;
	struct shk_cgroups *live = shk_cgroups_new(0);
	char path[32];

	r->cgroups = shk_cgroups_new(SHK_CGROUPS_MAX_REPLAY);
	r->config.cgroups = live;
	assert_int_equal(begin_recording(r), 0);
	for (unsigned int id = 1; id <= MANY; id++) {
		snprintf(path, sizeof(path), "/pod%u", id);
		assert_int_equal(shk_cgroups_add(live, id, path), 0);
		tell_socket(r, id);
	}
	assert_null(shk_cgroups_path(live, 1));
	assert_int_equal(end_recording(r), 0);
	assert_int_equal(replay(r), 0);
	for (unsigned int id = 1; id <= MANY; id++) {
		snprintf(path, sizeof(path), "/pod%u", id);
		assert_string_equal(shk_cgroups_path(r->cgroups, id), path);
	}
	shk_cgroups_free(live);
}

/*
 * ---- A series ------------------------------------------------------------------------------------
 */

#define FILES_MAX 16

struct series {
	char path[FILES_MAX][PATH_SIZE];
	const char *paths[FILES_MAX];
	unsigned int n;
};

/* The files from @first on that are there. */
static void find_series(const struct recording_rig *r, unsigned int first, struct series *s)
{
	s->n = 0;
	for (; s->n < FILES_MAX; s->n++) {
		snprintf(s->path[s->n], PATH_SIZE, "%s/a-%05u.shk", r->dir, first + s->n);
		s->paths[s->n] = s->path[s->n];
		if (access(s->path[s->n], F_OK))
			break;
	}
}

static void test_series_by_time_is_one_recording(void **state)
{
	struct recording_rig *r = *state;
	struct series s;
	const char *swap;

	r->config.rotate_ns = 2 * SECOND;
	record_something(r);
	find_series(r, 0, &s);
	assert_in_range(s.n, 3, FILES_MAX - 1);
	assert_int_equal(access(r->path, F_OK), -1);
	/* In whatever order they are named. */
	swap = s.paths[0];
	s.paths[0] = s.paths[2];
	s.paths[2] = swap;
	assert_int_equal(replay_files(r, s.paths, s.n, NULL), 0);
	assert_same_bytes(r);
	assert_int_equal(r->totals.files, s.n);
}

static void test_series_by_size(void **state)
{
	struct recording_rig *r = *state;
	struct series s;

	r->config.rotate_size = 400;
	record_something(r);
	find_series(r, 0, &s);
	assert_in_range(s.n, 3, FILES_MAX - 1);
	assert_int_equal(replay_files(r, s.paths, s.n, NULL), 0);
	assert_same_bytes(r);
}

static void test_one_file_of_a_series(void **state)
{
	struct recording_rig *r = *state;
	struct series s;

	r->config.rotate_ns = 2 * SECOND;
	record_something(r);
	find_series(r, 0, &s);
	assert_int_equal(replay_files(r, &s.paths[1], 1, NULL), 0);
	assert_string_equal(r->damage, "");
	assert_int_equal(times_in(r->replayed.text, "\"connection\""), 2);
	/* It knows the time of day although the clock spoke in the file before. */
	assert_int_equal(times_in(r->replayed.text, "\"ts\":160000"), 4);
}

static void test_series_with_a_gap_is_refused(void **state)
{
	struct recording_rig *r = *state;
	struct series s;

	r->config.rotate_ns = 2 * SECOND;
	record_something(r);
	find_series(r, 0, &s);
	s.paths[1] = s.paths[2];
	assert_int_equal(replay_files(r, s.paths, 2, NULL), -EINVAL);
	assert_non_null(strstr(r->err.text, "name those between"));
	s.paths[1] = s.paths[0];
	assert_int_equal(replay_files(r, s.paths, 2, NULL), -EINVAL);
}

static void test_two_recordings_are_refused(void **state)
{
	struct recording_rig *r = *state;
	char other[PATH_SIZE];
	const char *paths[] = {r->path, other};

	snprintf(other, sizeof(other), "%s/other.shk", r->dir);
	record_something(r);
	shk_outlet_free(r->outlet);
	shk_recorder_free(r->recorder);
	show_no_more(&r->live);
	r->config.path = other;
	record_something(r);
	assert_int_equal(replay_files(r, paths, 2, NULL), -EINVAL);
	assert_non_null(strstr(r->err.text, "different recordings"));
}

static void test_keeps_the_last_files(void **state)
{
	struct recording_rig *r = *state;
	struct shk_recorder_totals totals;
	struct series s;

	r->config.rotate_ns = 2 * SECOND;
	r->config.rotate_keep = 2;
	record_something(r);
	shk_recorder_totals(r->recorder, &totals);
	find_series(r, 0, &s);
	assert_int_equal(s.n, 0);
	find_series(r, totals.files - 2, &s);
	assert_int_equal(s.n, 2);
	assert_int_equal(replay_files(r, s.paths, s.n, NULL), 0);
	assert_string_equal(r->damage, "");
}

static void test_pipe_cannot_rotate(void **state)
{
	struct recording_rig *r = *state;

	r->config.path = "-";
	r->config.rotate_size = 1;
	assert_null(shk_recorder_new(&r->config, &r->err));
	assert_int_equal(r->err.code, -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, recording_setup, recording_teardown)
		TEST(test_replay_shows_what_was_shown),
		TEST(test_late_events_stay_late),
		TEST(test_time_passes_as_it_did),
		TEST(test_empty_recording),
		TEST(test_accounts_that_do_not_match),
		TEST(test_header_of_the_run_is_kept),
		TEST(test_filter),
		TEST(test_names_come_back),
		TEST(test_names_of_many_cgroups_come_back),
		TEST(test_series_by_time_is_one_recording),
		TEST(test_series_by_size),
		TEST(test_one_file_of_a_series),
		TEST(test_series_with_a_gap_is_refused),
		TEST(test_two_recordings_are_refused),
		TEST(test_keeps_the_last_files),
		TEST(test_pipe_cannot_rotate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
