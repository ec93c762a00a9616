// SPDX-License-Identifier: GPL-2.0
/* The second witness and its host: what it loses, leaves alone, leaves behind, and says that it can see. */
#include <mntent.h>
#include <signal.h>
#include <sys/stat.h>

#include <bpf/bpf.h>

#include "cgroups.h"
#include "socket_rig.h"

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
	struct shk_cgroups *cgroups;
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
	cgroups = shk_cgroups_new(0);
	start_source((struct shk_source_config){.cgroups = cgroups});
	listening = listen_on(&port, 8);
	server = fork_server(listening, 1);
	client = fork_client_in(cgroup, port);
	/* The child is still there, or its exit has not been collected: so is the cgroup. */
	wait_for(SHK_SOCK_CONNECTED, 0, 1);
	reap(client);
	reap(server);
	assert_int_equal(rmdir(cgroup), 0);
	wait_for(SHK_SOCK_CLOSED, 0, 2);
	stop_source();
	close(listening);

	for (unsigned int i = 0; i < seen.n; i++)
		if (seen.events[i].where == SHK_SOCK_CONNECTED)
			connected = &seen.events[i];
	assert_int_equal(connected->sock.tgid, client);
	path = shk_cgroups_path(cgroups, connected->sock.cgroup);
	snprintf(end, sizeof(end), "/shk-unit-%d", getpid());
	assert_non_null(path);
	assert_string_equal(path + strlen(path) - strlen(end), end);
	close_source(NULL);
	shk_cgroups_free(cgroups);
}

static void a_full_ring_loses_exactly_what_it_says(void **state)
{
	enum { N = 500 };
	uint64_t lost;
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
	lost = stop_source();
	close(listening);

	assert_true(lost > 0);
	assert_true(seen.announced > 0);
}

static void another_namespace_is_not_looked_at(void **state)
{
	(void)state;
	start_source((struct shk_source_config){.netns = own_netns + 1});
	traffic(1);
	stop_source();
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

/* Every attach point is told of, as observing or as missing, unless another one serves. */
static void what_is_observed_is_told(void **state)
{
	static struct shk_facts facts;
	bool transitions = false, accepts = false;

	(void)state;
	facts.n = 0;
	start(0);
	seen.source->ops->facts(seen.source, &facts);
	stop_source();
	assert_in_range(facts.n, 7, SHK_FACTS_MAX - 1);
	for (size_t i = 0; i < facts.n; i++) {
		const struct shk_fact *fact = &facts.of[i];

		assert_string_equal(fact->witness, "socket");
		assert_true(!fact->without == !fact->why);
		assert_true(!fact->blind || !fact->without);
		if (!strcmp(fact->through, "tp_btf sys_exit") && !fact->without)
			assert_non_null(fact->blind);
		transitions |= !strcmp(fact->through, "tp_btf inet_sock_set_state") && !fact->without;
		accepts |= strstr(fact->shows, "accept()") && !fact->without;
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(fact->shows, facts.of[j].shows);
	}
	assert_true(transitions);
	assert_true(accepts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOURCE_TEST(a_cgroup_is_known_after_it_is_gone),
		SOURCE_TEST(a_full_ring_loses_exactly_what_it_says),
		SOURCE_TEST(another_namespace_is_not_looked_at),
		SOURCE_TEST(a_killed_observer_leaves_nothing),
		SOURCE_TEST(what_is_observed_is_told),
	};

	try_source(shk_source_socket_open);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
