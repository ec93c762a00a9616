// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "bpf_rings.h"
#include "socket.skel.h"
#include "socket_programs.h"

#define SOCKET_PROGRAMS "the BPF programs that observe sockets"

#define POINT(kind_, target_, program_, shows_, without_, ...)                                               \
	{                                                                                                    \
		.kind = kind_, .target = target_, .program = program_, .shows = shows_, .without = without_, \
		##__VA_ARGS__                                                                                \
	}

/* In order of preference where several observe the same fact. */
static const struct shk_point all_points[] = {
	POINT("tp_btf", "inet_sock_set_state", "shk_set_state",
	      "connections opened and closed, who called connect(), errors",
	      "the sockets' side of every record: processes, errors, octets left unread",
	      .second = "shk_set_state_second"),
	POINT("fentry", "security_sock_graft", "shk_accept_graft",
	      "who called accept(), and the time in the accept queue",
	      "the server's process and the accept wait"),
	POINT("fexit", "inet_csk_accept", "shk_accept_return",
	      "who called accept(), and the time in the accept queue",
	      "the server's process and the accept wait"),
	POINT("tp_btf", "sys_exit", "shk_accept_syscall",
	      "who called accept(), and the time in the accept queue",
	      "the server's process and the accept wait",
	      .blind = "calls of io_uring and of 32-bit programs"),
	POINT("tp_btf", "tcp_receive_reset", "shk_receive_reset", "resets that were accepted as valid",
	      "whether a reset on the wire took effect, before the socket closes"),
	POINT("tp_btf", "tcp_send_reset", "shk_send_reset", "resets sent, with the kernel's reason",
	      "why this host sent a reset"),
	POINT("tp_btf", "inet_sk_error_report", "shk_error_report", "errors that a connection survived",
	      "ICMP errors reported to the application while the connection lives"),
	POINT("tp_btf", "tcp_retransmit_synack", "shk_retransmit_synack",
	      "SYN+ACKs sent again, with their request",
	      "nothing that the wire does not show, unless it lost events", .rare = true),
	POINT("fentry", "tcp_conn_request", "shk_conn_request",
	      "SYNs dropped by a listener, and which queue was full",
	      "why a SYN was not answered: such openings show as timed out"),
	POINT("fentry", "inet_csk_reqsk_queue_hash_add", "shk_request_made",
	      "requests made for a SYN, with both ISNs",
	      "whether a SYN got in that a capture shows without an answer", .unhooked = true),
	POINT("fexit", "__inet_csk_reqsk_queue_drop", "shk_request_drop",
	      "requests whose SYN+ACK nobody answered, and those that ended otherwise",
	      "certainty that a half-open request expired: it is inferred from the time", .rare = true),
	POINT("fexit", "tcp_check_req", "shk_third_ack", "third ACKs for which the accept queue had no room",
	      "why a connection that the client takes for open is not accepted", .rare = true),
	POINT("fexit", "cookie_v4_init_sequence", "shk_cookie_sent", "SYN cookies sent (IPv4)",
	      "that a SYN was answered by a cookie, where the wire cannot tell", .rare = true),
	POINT("fexit", "cookie_v6_init_sequence", "shk_cookie_sent_v6", "SYN cookies sent (IPv6)",
	      "that a SYN was answered by a cookie, where the wire cannot tell", .rare = true),
	POINT("fexit", "cookie_v4_check", "shk_cookie_check", "SYN cookies that came back valid (IPv4)",
	      "what a SYN cookie kept of the SYN, but for what segments show", .rare = true),
	POINT("fexit", "cookie_v6_check", "shk_cookie_check_v6", "SYN cookies that came back valid (IPv6)",
	      "what a SYN cookie kept of the SYN, but for what segments show", .rare = true),
	POINT("fexit", "inet_twsk_alloc", "shk_timewait_refused", "closes for which TIME-WAIT had no room",
	      "why a tuple could be used again at once", .rare = true),
	POINT("fexit", "tcp_timewait_state_process", "shk_timewait_segment",
	      "TIME-WAIT given up for a SYN, and resets out of it",
	      "why a tuple could be used again before its time", .rare = true),
	POINT("fentry", "__inet_twsk_schedule", "shk_timewait_schedule", "TIME-WAIT begun anew by a segment",
	      "that TIME-WAIT lasted longer than a minute, and why", .rare = true),
	POINT("fentry", "inet_twsk_kill", "shk_timewait_end", "the end of TIME-WAIT, and what ended it early",
	      "how long TIME-WAIT lasted", .rare = true),
};

#define LOG_SIZE 65536
#define N_POINTS (sizeof(all_points) / sizeof(all_points[0]))

_Static_assert(N_POINTS <= SHK_POINTS_MAX, "no room for all attach points");

static bool is_tracepoint(const struct shk_point *point)
{
	return !strcmp(point->kind, "tp_btf");
}

static bool sees_accept(const struct shk_point *point)
{
	return !strncmp(point->program, "shk_accept_", strlen("shk_accept_"));
}

/*
 * ---- What this kernel has ------------------------------------------------------------------------
 */

static int find_target(const struct btf *btf, const struct shk_point *point)
{
	char name[128];

	if (!is_tracepoint(point))
		return btf__find_by_name_kind(btf, point->target, BTF_KIND_FUNC);
	snprintf(name, sizeof(name), "btf_trace_%s", point->target);
	return btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
}

/* A tracepoint's type is a pointer to a function, whose first argument belongs to the tracing. */
static unsigned int tracepoint_args(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	const struct btf_type *type;

	if (id < 0)
		return 0;
	type = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
	if (!btf_is_ptr(type))
		return 0;
	type = btf__type_by_id(btf, type->type);
	return btf_is_func_proto(type) && btf_vlen(type) ? btf_vlen(type) - 1 : 0;
}

static const struct reason_name {
	const char *name;
	enum shk_reason reason;
} reason_names[] = {
	{"SK_RST_REASON_NOT_SPECIFIED", SHK_REASON_NONE},
	{"SK_RST_REASON_NO_SOCKET", SHK_REASON_NO_SOCKET},
	{"SK_RST_REASON_TCP_INVALID_ACK_SEQUENCE", SHK_REASON_INVALID_ACK},
	{"SK_RST_REASON_TCP_RFC7323_PAWS", SHK_REASON_PAWS},
	{"SK_RST_REASON_TCP_TOO_OLD_ACK", SHK_REASON_TOO_OLD_ACK},
	{"SK_RST_REASON_TCP_ACK_UNSENT_DATA", SHK_REASON_ACK_UNSENT_DATA},
	{"SK_RST_REASON_TCP_FLAGS", SHK_REASON_FLAGS},
	{"SK_RST_REASON_TCP_OLD_ACK", SHK_REASON_OLD_ACK},
	{"SK_RST_REASON_TCP_ABORT_ON_DATA", SHK_REASON_ABORT_ON_DATA},
	{"SK_RST_REASON_TCP_TIMEWAIT_SOCKET", SHK_REASON_TIMEWAIT_SOCKET},
	{"SK_RST_REASON_INVALID_SYN", SHK_REASON_INVALID_SYN},
	{"SK_RST_REASON_TCP_ABORT_ON_CLOSE", SHK_REASON_ABORT_ON_CLOSE},
	{"SK_RST_REASON_TCP_ABORT_ON_LINGER", SHK_REASON_ABORT_ON_LINGER},
	{"SK_RST_REASON_TCP_ABORT_ON_MEMORY", SHK_REASON_ABORT_ON_MEMORY},
	{"SK_RST_REASON_TCP_STATE", SHK_REASON_STATE},
	{"SK_RST_REASON_TCP_KEEPALIVE_TIMEOUT", SHK_REASON_KEEPALIVE_TIMEOUT},
	{"SK_RST_REASON_TCP_DISCONNECT_WITH_DATA", SHK_REASON_DISCONNECT_WITH_DATA},
};

static enum shk_reason reason_of(const char *name)
{
	for (size_t i = 0; i < sizeof(reason_names) / sizeof(reason_names[0]); i++)
		if (!strcmp(name, reason_names[i].name))
			return reason_names[i].reason;
	return strstr(name, "_MPTCP_") ? SHK_REASON_MPTCP : SHK_REASON_OTHER;
}

/* The numbers of reasons differ between kernels, their names do not. */
static void translate_reasons(struct socket_bpf *skel, const struct btf *btf)
{
	size_t room = sizeof(skel->rodata->shk_reasons) / sizeof(skel->rodata->shk_reasons[0]);
	int id = btf__find_by_name_kind(btf, "sk_rst_reason", BTF_KIND_ENUM);
	const struct btf_type *type;
	const struct btf_enum *e;
	size_t i;

	for (i = 1; i < room; i++)
		skel->rodata->shk_reasons[i] = SHK_REASON_OTHER;
	if (id < 0)
		return;
	type = btf__type_by_id(btf, id);
	for (i = 0, e = btf_enum(type); i < btf_vlen(type); i++, e++)
		if ((uint32_t)e->val < room)
			skel->rodata->shk_reasons[e->val] = reason_of(btf__name_by_offset(btf, e->name_off));
}

static void set_constants(struct socket_bpf *skel, const struct btf *btf)
{
	skel->rodata->shk_reset_has_reason = tracepoint_args(btf, "btf_trace_tcp_send_reset") >= 3;
#ifdef SYS_accept
	skel->rodata->shk_nr_accept = SYS_accept;
#endif
	skel->rodata->shk_nr_accept4 = SYS_accept4;
	translate_reasons(skel, btf);
}

/*
 * ---- Loading -------------------------------------------------------------------------------------
 */

static struct bpf_program *program_of(const struct shk_socket_programs *p, const struct shk_point *point)
{
	return bpf_object__find_program_by_name(p->skel->obj, point->program);
}

/* NULL: it has none. */
static struct bpf_program *second_of(const struct shk_socket_programs *p, const struct shk_point *point)
{
	return point->second ? bpf_object__find_program_by_name(p->skel->obj, point->second) : NULL;
}

static void find_targets(struct shk_socket_programs *p, const struct btf *btf, bool hooked)
{
	memcpy(p->points, all_points, sizeof(all_points));
	p->n = N_POINTS;
	for (unsigned int i = 0; i < p->n; i++) {
		struct shk_point *point = &p->points[i];

		point->fd = -1;
		point->state = find_target(btf, point) < 0 ? SHK_POINT_ABSENT : SHK_POINT_PRESENT;
		if (hooked && point->unhooked)
			point->state = SHK_POINT_NOT_NEEDED;
	}
}

/* The verifier's objections go to a log for each program, which tells afterwards whom it refused. */
static void choose_programs(struct shk_socket_programs *p, const struct btf *btf)
{
	struct bpf_program *program;

	memset(p->logs, 0, N_POINTS * LOG_SIZE);
	for (unsigned int i = 0; i < p->n; i++) {
		program = program_of(p, &p->points[i]);
		bpf_program__set_autoload(program, p->points[i].state == SHK_POINT_PRESENT);
		bpf_program__set_log_buf(program, p->logs + i * LOG_SIZE, LOG_SIZE);
		program = second_of(p, &p->points[i]);
		if (program)
			bpf_program__set_autoload(program, p->points[i].state == SHK_POINT_PRESENT);
	}
	if (btf__find_by_name_kind(btf, "bpf_iter_tcp", BTF_KIND_FUNC) < 0)
		bpf_program__set_autoload(p->skel->progs.shk_existing, false);
	if (btf__find_by_name_kind(btf, "bpf_iter_task_file", BTF_KIND_FUNC) < 0)
		bpf_program__set_autoload(p->skel->progs.shk_holders, false);
}

static int try_load(struct shk_socket_programs *p, const struct btf *btf, shk_prepare_fn *prepare, void *arg)
{
	int rc;

	p->skel = socket_bpf__open();
	if (!p->skel)
		return -errno;
	set_constants(p->skel, btf);
	choose_programs(p, btf);
	rc = prepare(arg, p->skel);
	if (!rc)
		rc = socket_bpf__load(p->skel);
	for (unsigned int i = 0; !rc && i < p->n; i++)
		p->points[i].fd = bpf_program__fd(program_of(p, &p->points[i]));
	return rc;
}

/*
 * Whom to leave out of the next try: those with an objection in their log. A kernel that refuses without a
 * word refuses by kind, so then everything that is not a tracepoint. False: nobody is left to blame.
 */
static bool leave_out(struct shk_socket_programs *p, int rc)
{
	bool any = false;
	int pass;

	for (pass = 0; pass < 2 && !any; pass++) {
		for (unsigned int i = 1; i < p->n; i++) {
			struct shk_point *point = &p->points[i];

			if (point->state != SHK_POINT_PRESENT ||
			    (pass == 0 ? !p->logs[i * LOG_SIZE] : is_tracepoint(point)))
				continue;
			point->state = SHK_POINT_REFUSED;
			point->rc = rc;
			any = true;
		}
	}
	return any;
}

int shk_socket_programs_load(struct shk_socket_programs *p, bool hooked, shk_prepare_fn *prepare, void *arg,
			     struct shk_error *err)
{
	struct btf *btf;
	int rc;

	shk_bpf_silence();
	btf = btf__load_vmlinux_btf();
	if (!btf)
		return shk_bpf_load_failed(-errno, SOCKET_PROGRAMS, "6.1", err);
	p->logs = malloc(N_POINTS * LOG_SIZE);
	if (!p->logs) {
		btf__free(btf);
		return shk_error_set(err, -ENOMEM, "out of memory");
	}
	find_targets(p, btf, hooked);
	rc = try_load(p, btf, prepare, arg);
	while (rc && rc != -ENOMEM && leave_out(p, rc)) {
		socket_bpf__destroy(p->skel);
		rc = try_load(p, btf, prepare, arg);
	}
	free(p->logs);
	btf__free(btf);
	return rc ? shk_bpf_load_failed(rc, SOCKET_PROGRAMS, "6.1", err) : 0;
}

/*
 * ---- Attaching -----------------------------------------------------------------------------------
 */

/* Without its second instance it loses what comes while it runs, which is counted. */
static void attach(struct shk_socket_programs *p, struct shk_point *point)
{
	struct bpf_program *second = second_of(p, point);

	point->link = bpf_program__attach(program_of(p, point));
	point->state = point->link ? SHK_POINT_ATTACHED : SHK_POINT_REFUSED;
	point->rc = point->link ? 0 : -errno;
	if (point->link && second)
		point->second_link = bpf_program__attach(second);
}

/* The second goes before the first: left alone it would make up for every call. */
static void detach(struct shk_point *point)
{
	bpf_link__destroy(point->second_link);
	bpf_link__destroy(point->link);
	point->second_link = NULL;
	point->link = NULL;
}

int shk_socket_programs_attach(struct shk_socket_programs *p, struct shk_error *err)
{
	const struct shk_point *accept = NULL;

	for (unsigned int i = 0; i < p->n; i++) {
		struct shk_point *point = &p->points[i];

		if (point->fd < 0)
			continue;
		if (accept && sees_accept(point)) {
			point->state = SHK_POINT_NOT_NEEDED;
			continue;
		}
		attach(p, point);
		if (point->link && sees_accept(point))
			accept = point;
	}
	/* A call that was waiting when fexit was attached is not seen to return. */
	p->skel->bss->shk_keep_closer = !accept || !strcmp(accept->kind, "fexit");
	if (p->points[0].state == SHK_POINT_ATTACHED)
		return 0;
	return shk_bpf_load_failed(p->points[0].state == SHK_POINT_ABSENT ? -ENOENT : p->points[0].rc,
				   SOCKET_PROGRAMS, "6.1", err);
}

/* What cannot be had in one way and is had in another is not missed. */
static bool is_observed_otherwise(const struct shk_socket_programs *p, const struct shk_point *point)
{
	if (point->state == SHK_POINT_NOT_NEEDED)
		return true;
	for (unsigned int i = 0; i < p->n; i++)
		if (p->points[i].state == SHK_POINT_ATTACHED && !strcmp(p->points[i].shows, point->shows))
			return true;
	return false;
}

void shk_socket_programs_facts(const struct shk_socket_programs *p, struct shk_facts *facts)
{
	for (unsigned int i = 0; i < p->n; i++) {
		const struct shk_point *point = &p->points[i];
		bool observed = point->state == SHK_POINT_ATTACHED;
		struct shk_fact *fact;

		if (!observed && is_observed_otherwise(p, point))
			continue;
		fact = shk_facts_add(facts);
		fact->witness = "socket";
		fact->shows = point->shows;
		fact->without = observed ? NULL : point->without;
		fact->why = observed                           ? NULL
			    : point->state == SHK_POINT_ABSENT ? "not in this kernel's BTF"
							       : strerror(-point->rc);
		fact->blind = observed ? point->blind : NULL;
		snprintf(fact->through, sizeof(fact->through), "%s %s", point->kind, point->target);
	}
}

void shk_socket_programs_detach(struct shk_socket_programs *p)
{
	for (unsigned int i = 0; i < p->n; i++)
		detach(&p->points[i]);
	shk_bpf_synchronize();
}

void shk_socket_programs_release(struct shk_socket_programs *p)
{
	for (unsigned int i = 0; i < p->n; i++)
		detach(&p->points[i]);
	socket_bpf__destroy(p->skel);
	memset(p, 0, sizeof(*p));
}

static void get_info(const struct shk_point *point, struct bpf_prog_info *info)
{
	uint32_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	if (point->fd >= 0)
		bpf_prog_get_info_by_fd(point->fd, info, &len);
}

uint64_t shk_point_runs(const struct shk_point *point)
{
	struct bpf_prog_info info;

	get_info(point, &info);
	return info.run_cnt;
}

uint64_t shk_socket_programs_missed(const struct shk_socket_programs *p)
{
	struct bpf_prog_info info;
	uint64_t missed = 0;

	for (unsigned int i = 0; i < p->n; i++) {
		get_info(&p->points[i], &info);
		missed += info.recursion_misses;
	}
	return missed;
}
