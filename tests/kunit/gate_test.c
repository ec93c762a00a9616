// SPDX-License-Identifier: GPL-2.0
/*
 * The gate with the kernel's own atomic operations: what passes, anywhere in sequence space, what is
 * displaced, and what becomes of it when all CPUs work on one bucket.
 */
#include <linux/slab.h>

#include "everywhere.h"
#include "gate.h"

/* All reasons that have to do with opening and closing. */
#define GATE_HANDSHAKE (SHK_WHY_CONTROL | SHK_WHY_ACKS_SYNACK | SHK_WHY_ACKS_FIN | SHK_WHY_ANSWERS)

enum way { THERE, BACK };

struct gate_rig {
	struct shk_gate_bucket *bucket;
	struct shk_gate_result last;
	u64 now_ns;
	u32 hook;
};

static const struct shk_hash_key gate_key = {{0x0706050403020100, 0x0f0e0d0c0b0a0908}};

/*
 * A segment of the connection between 192.0.2.1:@port and 198.51.100.2:443. Returns why it passes, as far as
 * that has to do with a handshake.
 */
static u32 gate_judge(struct gate_rig *rig, u16 port, enum way way, u16 flags, u32 seq, u32 ack, u32 len)
{
	static const u8 ends[2][16] = {
		{[10] = 0xff, [11] = 0xff, 192, 0, 2, 1},
		{[10] = 0xff, [11] = 0xff, 198, 51, 100, 2},
	};
	struct shk_event ev = {.sport = way == THERE ? port : 443, .dport = way == THERE ? 443 : port};
	struct shk_tuple tuple;

	memcpy(ev.saddr, ends[way == BACK], sizeof(ev.saddr));
	memcpy(ev.daddr, ends[way == THERE], sizeof(ev.daddr));
	ev.seg.tcp_flags = flags;
	ev.seg.seq = seq;
	ev.seg.ack = ack;
	ev.seg.payload_len = len;
	shk_tuple_from_event(&tuple, &ev);
	shk_gate_judge(rig->bucket, shk_tuple_hash(&tuple, &gate_key), &tuple, &ev.seg, rig->hook,
		       rig->now_ns, &rig->last);
	return rig->last.why & GATE_HANDSHAKE;
}

static struct gate_rig gate_rig(struct kunit *test)
{
	struct gate_rig rig = {.bucket = kunit_kzalloc(test, sizeof(*rig.bucket), GFP_KERNEL)};

	KUNIT_ASSERT_NOT_NULL(test, rig.bucket);
	return rig;
}

/* Both ends' ISNs, all around the wrap of sequence space and its middle. */
static const u32 gate_isns[] = {0, 1, 0x7ffffffe, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0x12345678};

static void gate_describe_isn(const u32 *isn, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "ISN 0x%08x", *isn);
}

KUNIT_ARRAY_PARAM(gate_isn, gate_isns, gate_describe_isn);

static void gate_passes_a_connection_and_not_its_data(struct kunit *test)
{
	u32 c = *(const u32 *)test->param_value;
	struct gate_rig rig = gate_rig(test);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(gate_isns); i++) {
		u32 s = gate_isns[i];

		memset(rig.bucket, 0, sizeof(*rig.bucket));
		KUNIT_EXPECT_EQ(test, gate_judge(&rig, 1, THERE, SHK_TCP_SYN, c, 0, 0), SHK_WHY_CONTROL);
		KUNIT_EXPECT_TRUE(test, gate_judge(&rig, 1, BACK, SHK_TCP_SYN | SHK_TCP_ACK, s, c + 1, 0) &
						SHK_WHY_CONTROL);
		KUNIT_EXPECT_TRUE(test, gate_judge(&rig, 1, THERE, SHK_TCP_ACK, c + 1, s + 1, 0) &
						SHK_WHY_ACKS_SYNACK);
		KUNIT_EXPECT_EQ(test, gate_judge(&rig, 1, THERE, SHK_TCP_ACK, c + 1, s + 1, 100), 0);
		KUNIT_EXPECT_EQ(test, gate_judge(&rig, 1, BACK, SHK_TCP_ACK, s + 1, c + 101, 5000), 0);
		KUNIT_EXPECT_TRUE(test,
				  gate_judge(&rig, 1, THERE, SHK_TCP_FIN | SHK_TCP_ACK, c + 101, s + 1, 0) &
					  SHK_WHY_CONTROL);
		KUNIT_EXPECT_EQ(test, gate_judge(&rig, 1, BACK, SHK_TCP_ACK, s + 5001, c + 101, 0), 0);
		KUNIT_EXPECT_EQ(test, gate_judge(&rig, 1, BACK, SHK_TCP_ACK, s + 5001, c + 102, 0),
				SHK_WHY_ACKS_FIN);
		KUNIT_EXPECT_EQ(test, gate_judge(&rig, 1, BACK, SHK_TCP_ACK, s + 5001, c + 102, 0), 0);
		KUNIT_EXPECT_EQ(test, rig.last.displaced, 0);
	}
}

static void gate_passes_an_ack_once_at_each_hook(struct kunit *test)
{
	struct gate_rig rig = gate_rig(test);
	u32 s = *(const u32 *)test->param_value, round;

	for (round = 0; round < 2; round++) {
		/* The second time it is a retransmission, which is answered again. */
		gate_judge(&rig, 1, BACK, SHK_TCP_SYN | SHK_TCP_ACK, s, 1, 0);
		for (rig.hook = 0; rig.hook < SHK_HOOK_COUNT; rig.hook++) {
			KUNIT_EXPECT_TRUE(test, gate_judge(&rig, 1, THERE, SHK_TCP_ACK, 1, s + 1, 0) &
							SHK_WHY_ACKS_SYNACK);
			KUNIT_EXPECT_FALSE(test, gate_judge(&rig, 1, THERE, SHK_TCP_ACK, 1, s + 1, 0) &
							 SHK_WHY_ACKS_SYNACK);
		}
		rig.hook = 0;
	}
}

static void gate_knows_how_far_a_first_ack_reaches(struct kunit *test)
{
	static const struct {
		u32 beyond; /* beyond the SYN+ACK's number */
		/* expected */
		bool passes;
	} cases[] = {
		{0, false},
		{1, true},
		{2, true},
		{SHK_GATE_REACH, true},
		{SHK_GATE_REACH + 1, false},
		{0x80000000, false},
		{0xffffffff, false},
	};
	u32 s = *(const u32 *)test->param_value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gate_rig rig = gate_rig(test);

		gate_judge(&rig, 1, BACK, SHK_TCP_SYN | SHK_TCP_ACK, s, 1, 0);
		gate_judge(&rig, 1, THERE, SHK_TCP_ACK, 1, s + cases[i].beyond, 0);
		KUNIT_EXPECT_EQ_MSG(test, !!(rig.last.why & SHK_WHY_ACKS_SYNACK), cases[i].passes,
				    "%u beyond the SYN+ACK", cases[i].beyond);
	}
}

/* @n FINs of as many connections, two seconds and a bit apart, so that each is older than the next. */
static u32 gate_expect_fins(struct gate_rig *rig, u16 n)
{
	u32 displaced = 0;
	u16 port;

	for (port = 1; port <= n; port++) {
		rig->now_ns += 1ULL << 31;
		gate_judge(rig, port, THERE, SHK_TCP_FIN, 100, 0, 0);
		displaced += rig->last.displaced;
	}
	return displaced;
}

static void gate_displaces_the_oldest_and_counts_it(struct kunit *test)
{
	struct gate_rig rig = gate_rig(test);
	u16 port;

	KUNIT_EXPECT_EQ(test, gate_expect_fins(&rig, SHK_GATE_WAYS), 0);
	rig.now_ns += 1ULL << 31;
	gate_judge(&rig, SHK_GATE_WAYS + 1, THERE, SHK_TCP_FIN, 100, 0, 0);
	KUNIT_EXPECT_EQ(test, rig.last.displaced, 1);
	for (port = 1; port <= SHK_GATE_WAYS + 1; port++)
		KUNIT_EXPECT_EQ_MSG(test, gate_judge(&rig, port, BACK, SHK_TCP_ACK, 1, 101, 0),
				    port == 1 ? 0 : SHK_WHY_ACKS_FIN, "connection %u", port);
}

static void gate_gives_up_what_was_met_first(struct kunit *test)
{
	struct gate_rig rig = gate_rig(test);

	gate_expect_fins(&rig, SHK_GATE_WAYS);
	gate_judge(&rig, 5, BACK, SHK_TCP_ACK, 1, 101, 0);
	gate_judge(&rig, SHK_GATE_WAYS + 1, THERE, SHK_TCP_FIN, 100, 0, 0);
	KUNIT_EXPECT_EQ(test, rig.last.displaced, 0);
	KUNIT_EXPECT_EQ(test, gate_judge(&rig, 1, BACK, SHK_TCP_ACK, 1, 101, 0), SHK_WHY_ACKS_FIN);
}

static void gate_tells_connections_of_a_bucket_apart(struct kunit *test)
{
	struct gate_rig rig = gate_rig(test);

	gate_judge(&rig, 1, THERE, SHK_TCP_FIN, 100, 0, 0);
	KUNIT_EXPECT_EQ(test, gate_judge(&rig, 2, BACK, SHK_TCP_ACK, 1, 101, 0), 0);
	KUNIT_EXPECT_EQ(test, gate_judge(&rig, 1, THERE, SHK_TCP_ACK, 1, 101, 0), 0);
	KUNIT_EXPECT_EQ(test, gate_judge(&rig, 1, BACK, SHK_TCP_ACK, 1, 101, 0), SHK_WHY_ACKS_FIN);
}

#define GATE_ROUNDS 20000U
#define GATE_RACES  40U

struct gate_crowd {
	struct shk_gate_bucket *buckets;
	atomic_t met;
	atomic_t displaced;
};

/* Everybody closes a connection of his own, in the one bucket, again and again. */
static void gate_work_side_by_side(unsigned int cpu, void *arg)
{
	struct gate_crowd *crowd = arg;
	struct gate_rig rig = {.bucket = crowd->buckets};
	u32 round, met = 0, displaced = 0;

	for (round = 0; round < GATE_ROUNDS; round++) {
		rig.hook = round % SHK_HOOK_COUNT;
		gate_judge(&rig, cpu + 1, THERE, SHK_TCP_FIN, round, 0, 0);
		displaced += rig.last.displaced;
		met += gate_judge(&rig, cpu + 1, BACK, SHK_TCP_ACK, 0, round + 1, 0) == SHK_WHY_ACKS_FIN;
	}
	atomic_add(met, &crowd->met);
	atomic_add(displaced, &crowd->displaced);
}

static void gate_serves_all_cpus_side_by_side(struct kunit *test)
{
	struct gate_crowd crowd = {.buckets = gate_rig(test).bucket};

	KUNIT_ASSERT_GT(test, num_online_cpus(), 1);
	KUNIT_ASSERT_LE(test, num_online_cpus(), SHK_GATE_WAYS);
	everywhere(test, gate_work_side_by_side, &crowd);
	KUNIT_EXPECT_EQ(test, atomic_read(&crowd.met) + atomic_read(&crowd.displaced),
			num_online_cpus() * GATE_ROUNDS);
	/* A place of his own means that nobody's swap fails, but for the first few. */
	KUNIT_EXPECT_LE(test, atomic_read(&crowd.displaced), num_online_cpus());
}

/* All meet the same expectations at the same hook. */
static void gate_race_to_meet(unsigned int cpu, void *arg)
{
	struct gate_crowd *crowd = arg;
	struct gate_rig rig = {.hook = SHK_HOOK_LOCAL_IN};
	u32 i, met = 0;

	for (i = 0; i < GATE_ROUNDS; i++) {
		rig.bucket = &crowd->buckets[i];
		met += gate_judge(&rig, 1, BACK, SHK_TCP_ACK, 0, i + 1, 0) == SHK_WHY_ACKS_FIN;
	}
	atomic_add(met, &crowd->met);
}

static void gate_is_met_by_one_cpu_only(struct kunit *test)
{
	struct gate_crowd crowd = {.buckets = kvcalloc(GATE_ROUNDS, sizeof(*crowd.buckets), GFP_KERNEL)};
	struct gate_rig rig = {};
	u32 race, i;

	KUNIT_ASSERT_NOT_NULL(test, crowd.buckets);
	for (race = 0; race < GATE_RACES; race++) {
		for (i = 0; i < GATE_ROUNDS; i++) {
			rig.bucket = &crowd.buckets[i];
			gate_judge(&rig, 1, THERE, SHK_TCP_FIN, i, 0, 0);
		}
		everywhere(test, gate_race_to_meet, &crowd);
	}
	kvfree(crowd.buckets);
	KUNIT_EXPECT_EQ(test, atomic_read(&crowd.met), GATE_RACES * GATE_ROUNDS);
}

static struct kunit_case gate_cases[] = {
	KUNIT_CASE_PARAM(gate_passes_a_connection_and_not_its_data, gate_isn_gen_params),
	KUNIT_CASE_PARAM(gate_passes_an_ack_once_at_each_hook, gate_isn_gen_params),
	KUNIT_CASE_PARAM(gate_knows_how_far_a_first_ack_reaches, gate_isn_gen_params),
	KUNIT_CASE(gate_displaces_the_oldest_and_counts_it),
	KUNIT_CASE(gate_gives_up_what_was_met_first),
	KUNIT_CASE(gate_tells_connections_of_a_bucket_apart),
	KUNIT_CASE(gate_serves_all_cpus_side_by_side),
	KUNIT_CASE(gate_is_met_by_one_cpu_only),
	{}};

static struct kunit_suite gate_suite = {
	.name = "tcpshake_gate",
	.test_cases = gate_cases,
};

kunit_test_suite(gate_suite);
