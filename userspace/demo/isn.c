// SPDX-License-Identifier: GPL-2.0
#include "demo/isn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "demo/forced.h"

#define CLIENT_PORT  40000
#define SERVER_PORT  7000
#define BACKLOG      1
#define STATE_CLOSED 7    /* TCP_CLOSE of <netinet/tcp.h>, whose tcp_info is too short */
#define PATIENCE     5000 /* tries, a millisecond apart */

/* Timestamps tick once a millisecond, and one tick is not enough to tell old from new. */
#define PAUSE_MS 25

#define DATA_FLAGS (SHK_TCP_PSH | SHK_TCP_ACK)

const struct shk_demo_act shk_demo_acts[SHK_DEMO_ACTS] = {
	{.constant = true, .timestamps = false, .stale = true},
	{.constant = false, .timestamps = false, .stale = false},
	{.constant = true, .timestamps = true, .stale = false},
};

struct play {
	struct shk_hosts hosts;
	struct shk_wire *wire;
	struct shk_demo_story *story;
	int client, server; /* -1: none */
	struct shk_wire_segment old;
};

static int failed(struct shk_error *err, const char *what)
{
	return shk_error_set(err, -errno, "%s: %s", what, strerror(errno));
}

bool shk_demo_as_expected(const struct shk_demo_result *result)
{
	return result->acknowledged &&
	       !strcmp(result->read, result->act->stale ? SHK_DEMO_OLD : SHK_DEMO_NEW) &&
	       !result->paws == !(result->act->constant && result->act->timestamps);
}

/*
 * ---- Waiting -------------------------------------------------------------------------------------
 */

typedef bool condition_fn(int fd, uint32_t wanted);

static int wait_until(condition_fn *holds, int fd, uint32_t wanted, const char *what, struct shk_error *err)
{
	for (int i = 0; i < PATIENCE; i++) {
		if (holds(fd, wanted))
			return 0;
		poll(NULL, 0, 1);
	}
	return shk_error_set(err, -ETIMEDOUT, "waited in vain until %s", what);
}

static uint32_t segments_in(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_segs_in;
}

static bool has_taken(int fd, uint32_t wanted)
{
	return segments_in(fd) >= wanted;
}

static bool is_acknowledged(int fd, uint32_t wanted)
{
	int unacknowledged = -1;

	ioctl(fd, SIOCOUTQ, &unacknowledged);
	return unacknowledged == (int)wanted;
}

static bool is_in_state(int fd, uint32_t wanted)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_state == wanted;
}

/*
 * ---- Opening and closing -------------------------------------------------------------------------
 */

static struct sockaddr_in end_of(enum shk_side host)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(host == SHK_CLIENT ? CLIENT_PORT : SERVER_PORT),
		.sin_addr.s_addr = shk_hosts_address(host),
	};
}

static int begin_connect(struct play *p, bool constant, struct shk_error *err)
{
	const struct sockaddr_in here = end_of(SHK_CLIENT), there = end_of(SHK_SERVER);
	int rc;

	rc = shk_hosts_enter(&p->hosts, SHK_CLIENT, err);
	if (rc)
		return rc;
	p->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->client < 0)
		return failed(err, "socket");
	if (bind(p->client, (const struct sockaddr *)&here, sizeof(here)) < 0)
		return failed(err, "bind");
	rc = constant ? shk_forced_isn(p->client, SHK_DEMO_FORCED, err) : 0;
	if (rc)
		return rc;
	if (connect(p->client, (const struct sockaddr *)&there, sizeof(there)) < 0 && errno != EINPROGRESS)
		return failed(err, "connect");
	return 0;
}

static int open_constant(struct play *p, bool timestamps, struct shk_error *err)
{
	const struct sockaddr_in here = end_of(SHK_SERVER), there = end_of(SHK_CLIENT);
	const struct shk_wire_segment *syn;
	int rc;

	rc = shk_hosts_enter(&p->hosts, SHK_SERVER, err);
	if (rc)
		return rc;
	p->server = shk_forced_accepted(&here, &there, SHK_DEMO_FORCED, timestamps, err);
	if (p->server < 0)
		return p->server;
	rc = begin_connect(p, true, err);
	if (rc)
		return rc;
	syn = shk_wire_wait(p->wire, SHK_TCP_SYN, 0, err);
	if (!syn)
		return err->code;
	rc = shk_hosts_enter(&p->hosts, SHK_SERVER, err);
	rc = rc ?: shk_forced_synack(p->server, syn, SHK_DEMO_FORCED, err);
	return rc ?: wait_until(has_taken, p->server, 1, "the handshake was complete", err);
}

static int open_listener(struct play *p, struct shk_error *err)
{
	const struct sockaddr_in here = end_of(SHK_SERVER);
	int fd, rc;

	rc = shk_hosts_enter(&p->hosts, SHK_SERVER, err);
	if (rc)
		return rc;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return failed(err, "socket");
	if (bind(fd, (const struct sockaddr *)&here, sizeof(here)) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	rc = failed(err, "listen");
	close(fd);
	return rc;
}

static int open_usual(struct play *p, struct shk_error *err)
{
	struct pollfd ready = {.fd = open_listener(p, err), .events = POLLIN};
	int rc;

	if (ready.fd < 0)
		return ready.fd;
	rc = begin_connect(p, false, err);
	if (!rc && poll(&ready, 1, PATIENCE) == 1)
		p->server = accept4(ready.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!rc && p->server < 0)
		rc = shk_error_set(err, -ETIMEDOUT, "the connection did not open");
	close(ready.fd);
	return rc;
}

static void close_both(struct play *p)
{
	if (p->client >= 0)
		close(p->client);
	if (p->server >= 0)
		close(p->server);
	p->client = -1;
	p->server = -1;
}

/* By RST: no TIME-WAIT keeps the tuple from being used again. */
static int reset_both(struct play *p, struct shk_error *err)
{
	const struct linger at_once = {.l_onoff = 1};
	int rc;

	if (setsockopt(p->client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) < 0)
		return failed(err, "SO_LINGER");
	close(p->client);
	p->client = -1;
	rc = wait_until(is_in_state, p->server, STATE_CLOSED, "the server had been reset", err);
	close_both(p);
	return rc;
}

static int open_connection(struct play *p, const struct shk_demo_act *act, struct shk_error *err)
{
	int rc = shk_wire_clear(p->wire, err);

	if (rc)
		return rc;
	return act->constant ? open_constant(p, act->timestamps, err) : open_usual(p, err);
}

/*
 * ---- The two uses of the tuple -------------------------------------------------------------------
 */

static int send_text(struct play *p, const char *text, struct shk_error *err)
{
	if (send(p->client, text, SHK_DEMO_SIZE, MSG_NOSIGNAL) != SHK_DEMO_SIZE)
		return failed(err, "send");
	return wait_until(is_acknowledged, p->client, 0, "the data were acknowledged", err);
}

static int read_text(struct play *p, char text[SHK_DEMO_SIZE + 1], struct shk_error *err)
{
	ssize_t size = recv(p->server, text, SHK_DEMO_SIZE, 0);

	if (size < 0)
		return failed(err, "recv");
	text[size] = '\0';
	return 0;
}

static int first_use(struct play *p, struct shk_demo_result *result, struct shk_error *err)
{
	const struct shk_wire_segment *sent;
	int rc;

	rc = open_connection(p, result->act, err);
	rc = rc ?: send_text(p, SHK_DEMO_OLD, err);
	rc = rc ?: read_text(p, result->read, err);
	if (rc)
		return rc;
	if (strcmp(result->read, SHK_DEMO_OLD))
		return shk_error_set(err, -EPROTO, "already the first connection delivered \"%s\"",
				     result->read);
	sent = shk_wire_wait(p->wire, DATA_FLAGS, SHK_DEMO_SIZE, err);
	if (!sent)
		return err->code;
	p->old = *sent;
	result->old = sent->ev;
	rc = reset_both(p, err);
	return rc ?: shk_demo_story_draw(p->story, p->wire, result, false, err);
}

static int late_arrival(struct play *p, struct shk_demo_result *result, struct shk_error *err)
{
	uint32_t taken = segments_in(p->server);
	const struct shk_wire_segment *again;
	int rc;

	rc = shk_wire_replay(p->wire, &p->old, err);
	rc = rc ?: wait_until(has_taken, p->server, taken + 1, "the old segment had arrived", err);
	if (rc)
		return rc;
	again = shk_wire_wait(p->wire, DATA_FLAGS, SHK_DEMO_SIZE, err);
	if (!again)
		return err->code;
	result->late_ns = again->ev.ts_ns - result->old.ts_ns;
	result->new_isn = shk_wire_segment(p->wire, 0)->ev.seg.seq;
	result->new_tsval = shk_wire_segment(p->wire, 0)->ev.seg.tsval;
	return 0;
}

static int second_use(struct play *p, struct shk_demo_result *result, struct shk_error *err)
{
	uint64_t before = 0;
	int rc;

	rc = open_connection(p, result->act, err);
	rc = rc ?: shk_hosts_counter(&p->hosts, SHK_SERVER, "PAWSEstab", &before, err);
	rc = rc ?: late_arrival(p, result, err);
	rc = rc ?: shk_hosts_counter(&p->hosts, SHK_SERVER, "PAWSEstab", &result->paws, err);
	if (rc)
		return rc;
	result->paws -= before;
	rc = send_text(p, SHK_DEMO_NEW, err);
	result->acknowledged = !rc;
	rc = rc ?: read_text(p, result->read, err);
	rc = rc ?: reset_both(p, err);
	return rc ?: shk_demo_story_draw(p->story, p->wire, result, true, err);
}

static int play_act(struct play *p, unsigned int number, struct shk_demo_result *result,
		    struct shk_error *err)
{
	int rc;

	*result = (struct shk_demo_result){.act = &shk_demo_acts[number]};
	shk_demo_story_act(p->story, number);
	rc = shk_hosts_sysctl(&p->hosts, "tcp_timestamps", result->act->timestamps, err);
	rc = rc ?: first_use(p, result, err);
	if (rc)
		return rc;
	poll(NULL, 0, PAUSE_MS);
	rc = second_use(p, result, err);
	if (!rc)
		shk_demo_story_verdict(p->story, result);
	return rc;
}

/* TCP as it was before RFC 7323 and RFC 2018, so that only what an act is about differs. */
static int set_up(struct play *p, struct shk_error *err)
{
	int rc;

	rc = shk_hosts_up(&p->hosts, err);
	rc = rc ?: shk_hosts_sysctl(&p->hosts, "tcp_window_scaling", 0, err);
	rc = rc ?: shk_hosts_sysctl(&p->hosts, "tcp_sack", 0, err);
	return rc ?: shk_wire_open(&p->wire, &p->hosts, err);
}

int shk_demo_isn(const struct shk_sink_config *config, struct shk_error *err)
{
	struct shk_demo_result results[SHK_DEMO_ACTS];
	struct play p = {.client = -1, .server = -1};
	bool expected = true;
	int rc;

	rc = set_up(&p, err);
	p.story = shk_demo_story_new(config);
	if (!rc && !p.story)
		rc = shk_error_set(err, -ENOMEM, "out of memory");
	if (!rc)
		shk_demo_story_begin(p.story);
	for (unsigned int i = 0; i < SHK_DEMO_ACTS && !rc; i++) {
		rc = play_act(&p, i, &results[i], err);
		expected = expected && !rc && shk_demo_as_expected(&results[i]);
	}
	if (!rc)
		shk_demo_story_end(p.story, results);
	close_both(&p);
	shk_demo_story_free(p.story);
	shk_wire_close(p.wire);
	shk_hosts_down(&p.hosts);
	return rc ? rc : !expected;
}
