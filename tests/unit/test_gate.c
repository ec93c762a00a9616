// SPDX-License-Identifier: GPL-2.0
/*
 * gate.h, scenario by scenario: which segments of a connection pass.
 *
 * A scenario lists segments with numbers relative to the ISNs of both ends and says for each what the
 * gate must answer. It holds at every hook that a segment passes, from every point of view, and
 * wherever in the sequence space the ISNs lie: all combinations are run.
 */
#include "gate_rig.h"

#define SEGMENTS_MAX 16

struct step {
	enum rig_end from;
	uint16_t flags;
	uint32_t seq;
	uint32_t ack;
	uint32_t len;
	uint32_t why;
};

struct scenario {
	const char *name;
	struct step steps[SEGMENTS_MAX]; /* ended by .flags == 0 */
};

/* The opening of every connection below. */
/* clang-format off */
#define OPENED							\
	{CLIENT, SYN, 0, 0, 0, CONTROL},			\
	{SERVER, SYN | ACK, 0, 1, 0, CONTROL | ANSWERS},	\
	{CLIENT, ACK, 1, 1, 0, ACKS_SYNACK | ANSWERS | FIRST_ACK}
/* clang-format on */

static const struct scenario openings[] = {
	{"three-way handshake, then data",
	 {OPENED,
	  {CLIENT, PSH | ACK, 1, 1, 100, FIRST_DATA},
	  {SERVER, ACK, 1, 101, 0, FIRST_ACK},
	  {SERVER, PSH | ACK, 1, 101, 5000, FIRST_DATA},
	  {CLIENT, ACK, 101, 5001, 0, 0},
	  {CLIENT, PSH | ACK, 101, 5001, 10, 0},
	  {SERVER, ACK, 5001, 111, 0, 0},
	  {SERVER, PSH | ACK, 5001, 111, 10, 0}}},
	{"one end only sends, the other only acknowledges",
	 {OPENED,
	  {CLIENT, PSH | ACK, 1, 1, 100, FIRST_DATA},
	  {SERVER, ACK, 1, 101, 0, FIRST_ACK},
	  {CLIENT, PSH | ACK, 101, 1, 100, 0},
	  {SERVER, ACK, 1, 201, 0, 0}}},
	{"a SYN of the other end alone awaits nothing of this one",
	 {{CLIENT, SYN, 0, 0, 0, CONTROL},
	  {SERVER, PSH | ACK, 1, 1, 10, ANSWERS},
	  {SERVER, ACK, 11, 1, 0, 0}}},
	{"the handshake's ACK carries data",
	 {{CLIENT, SYN, 0, 0, 0, CONTROL},
	  {SERVER, SYN | ACK, 0, 1, 0, CONTROL | ANSWERS},
	  {CLIENT, PSH | ACK, 1, 1, 100, ACKS_SYNACK | ANSWERS | FIRST_DATA},
	  {CLIENT, PSH | ACK, 101, 1, 100, 0},
	  {CLIENT, ACK, 201, 1, 0, FIRST_ACK}}},
	{"refused", {{CLIENT, SYN, 0, 0, 0, CONTROL}, {SERVER, RST | ACK, 0, 1, 0, CONTROL | ANSWERS}}},
	{"SYN retransmitted",
	 {{CLIENT, SYN, 0, 0, 0, CONTROL},
	  {CLIENT, SYN, 0, 0, 0, CONTROL},
	  {SERVER, SYN | ACK, 0, 1, 0, CONTROL | ANSWERS},
	  {CLIENT, ACK, 1, 1, 0, ACKS_SYNACK | ANSWERS | FIRST_ACK},
	  {CLIENT, ACK, 1, 1, 0, 0}}},
	{"SYN+ACK retransmitted before it is answered",
	 {{CLIENT, SYN, 0, 0, 0, CONTROL},
	  {SERVER, SYN | ACK, 0, 1, 0, CONTROL | ANSWERS},
	  {SERVER, SYN | ACK, 0, 1, 0, CONTROL},
	  {CLIENT, ACK, 1, 1, 0, ACKS_SYNACK | ANSWERS | FIRST_ACK},
	  {CLIENT, ACK, 1, 1, 0, 0}}},
	{"SYN+ACK retransmitted after its ACK was lost further on",
	 {OPENED,
	  {SERVER, SYN | ACK, 0, 1, 0, CONTROL},
	  {CLIENT, ACK, 1, 1, 0, ACKS_SYNACK | ANSWERS},
	  {CLIENT, ACK, 1, 1, 0, 0}}},
	{"wrong third ACK, reset, then the right one",
	 {{CLIENT, SYN, 0, 0, 0, CONTROL},
	  {SERVER, SYN | ACK, 0, 1, 0, CONTROL | ANSWERS},
	  {CLIENT, ACK, 1, 0x77777777, 0, ANSWERS | FIRST_ACK},
	  {CLIENT, ACK, 1, 0x77777777, 0, 0},
	  {SERVER, RST, 0x77777777, 0, 0, CONTROL},
	  {CLIENT, ACK, 1, 1, 0, ACKS_SYNACK | ANSWERS},
	  {CLIENT, ACK, 1, 1, 0, 0}}},
	{"SYN with data, Fast Open accepted",
	 {{CLIENT, SYN, 0, 0, 500, CONTROL},
	  {SERVER, SYN | ACK, 0, 501, 0, CONTROL | ANSWERS},
	  {SERVER, PSH | ACK, 1, 501, 1400, FIRST_DATA},
	  {CLIENT, ACK, 501, 1401, 0, ACKS_SYNACK | ANSWERS | FIRST_ACK},
	  {CLIENT, ACK, 501, 1401, 0, 0}}},
	{"SYN+ACK with data",
	 {{CLIENT, SYN, 0, 0, 0, CONTROL},
	  {SERVER, SYN | ACK, 0, 1, 10, CONTROL | ANSWERS},
	  {CLIENT, ACK, 1, 1, 0, ANSWERS | FIRST_ACK}, /* takes the SYN, not the data */
	  {CLIENT, ACK, 1, 11, 0, ACKS_SYNACK},
	  {CLIENT, ACK, 1, 11, 0, 0}}},
	{"simultaneous open (RFC 9293 figure 7)",
	 {{CLIENT, SYN, 0, 0, 0, CONTROL},
	  {SERVER, SYN, 0, 0, 0, CONTROL},
	  {CLIENT, SYN | ACK, 0, 1, 0, CONTROL | ANSWERS},
	  {SERVER, SYN | ACK, 0, 1, 0, CONTROL | ACKS_SYNACK | ANSWERS},
	  {CLIENT, ACK, 1, 1, 0, ACKS_SYNACK | ANSWERS | FIRST_ACK},
	  {CLIENT, ACK, 1, 1, 0, 0},
	  {SERVER, ACK, 1, 1, 0, FIRST_ACK},
	  {SERVER, ACK, 1, 1, 0, 0}}},
	{"SYN meets TIME-WAIT: its ACK, a reset, and another try",
	 {{CLIENT, SYN, 0, 0, 0, CONTROL},
	  {SERVER, ACK, 7000, 0x40000000, 0, ANSWERS},
	  {CLIENT, RST, 0x40000000, 0, 0, CONTROL},
	  {CLIENT, SYN, 0, 0, 0, CONTROL},
	  {SERVER, SYN | ACK, 0, 1, 0, CONTROL | ANSWERS},
	  {CLIENT, ACK, 1, 1, 0, ACKS_SYNACK | ANSWERS | FIRST_ACK}}},
	{"SYN on an established connection: challenge ACK (RFC 5961 4.2)",
	 {OPENED,
	  {CLIENT, SYN, 0x30000000, 0, 0, CONTROL},
	  {SERVER, ACK, 1, 1, 0, ANSWERS | FIRST_ACK},
	  {SERVER, PSH | ACK, 1, 1, 100, FIRST_DATA},
	  {CLIENT, ACK, 1, 101, 0, FIRST_ACK}, /* once more, since its SYN */
	  {CLIENT, ACK, 1, 101, 0, 0}}},
};

/* The first ACK may reach up to SHK_GATE_REACH beyond the SYN+ACK, not further and not before it. */
static const struct scenario reaches[] = {
	{"one before",
	 {{SERVER, SYN | ACK, 0, 1, 0, CONTROL}, {CLIENT, ACK, 1, 0, 0, ANSWERS}, {CLIENT, ACK, 1, 0, 0, 0}}},
	{"first", {{SERVER, SYN | ACK, 0, 1, 0, CONTROL}, {CLIENT, ACK, 1, 1, 0, ACKS_SYNACK | ANSWERS}}},
	{"with data acknowledged",
	 {{SERVER, SYN | ACK, 0, 1, 0, CONTROL}, {CLIENT, ACK, 1, 70000, 0, ACKS_SYNACK | ANSWERS}}},
	{"last",
	 {{SERVER, SYN | ACK, 0, 1, 0, CONTROL}, {CLIENT, ACK, 1, SHK_GATE_REACH, 0, ACKS_SYNACK | ANSWERS}}},
	{"one after",
	 {{SERVER, SYN | ACK, 0, 1, 0, CONTROL},
	  {CLIENT, ACK, 1, SHK_GATE_REACH + 1, 0, ANSWERS},
	  {CLIENT, ACK, 1, SHK_GATE_REACH + 1, 0, 0},
	  {CLIENT, ACK, 1, 1, 0, ACKS_SYNACK}}},
};

static const struct scenario closes[] = {
	{"four segments",
	 {OPENED,
	  {CLIENT, FIN | ACK, 1, 1, 0, CONTROL},
	  {SERVER, ACK, 1, 2, 0, ACKS_FIN | FIRST_ACK},
	  {SERVER, ACK, 1, 2, 0, 0},
	  {SERVER, FIN | ACK, 1, 2, 0, CONTROL},
	  {CLIENT, ACK, 2, 2, 0, ACKS_FIN},
	  {CLIENT, ACK, 2, 2, 0, 0}}},
	{"three segments",
	 {OPENED,
	  {SERVER, FIN | ACK, 1, 1, 0, CONTROL},
	  {CLIENT, FIN | ACK, 1, 2, 0, CONTROL | ACKS_FIN},
	  {SERVER, ACK, 2, 2, 0, ACKS_FIN | FIRST_ACK},
	  {SERVER, ACK, 2, 2, 0, 0}}},
	{"simultaneous (RFC 9293 figure 13)",
	 {OPENED,
	  {CLIENT, FIN | ACK, 1, 1, 0, CONTROL},
	  {SERVER, FIN | ACK, 1, 1, 0, CONTROL},
	  {CLIENT, ACK, 2, 2, 0, ACKS_FIN},
	  {SERVER, ACK, 2, 2, 0, ACKS_FIN | FIRST_ACK},
	  {CLIENT, ACK, 2, 2, 0, 0},
	  {SERVER, ACK, 2, 2, 0, 0}}},
	{"half-closed with data",
	 {OPENED,
	  {CLIENT, FIN | ACK, 1, 1, 0, CONTROL},
	  {SERVER, ACK, 1, 2, 0, ACKS_FIN | FIRST_ACK},
	  {SERVER, PSH | ACK, 1, 2, 1000, FIRST_DATA},
	  {CLIENT, ACK, 2, 1001, 0, 0},
	  {SERVER, PSH | ACK, 1001, 2, 1000, 0},
	  {CLIENT, ACK, 2, 2001, 0, 0},
	  {SERVER, FIN | PSH | ACK, 2001, 2, 500, CONTROL},
	  {CLIENT, ACK, 2, 2501, 0, 0}, /* the data, not yet the FIN */
	  {CLIENT, ACK, 2, 2502, 0, ACKS_FIN}}},
	{"the FIN's ACK rides on data",
	 {OPENED,
	  {CLIENT, FIN | ACK, 1, 1, 0, CONTROL},
	  {SERVER, PSH | ACK, 1, 1, 1000, FIRST_DATA},
	  {SERVER, PSH | ACK, 1001, 2, 1000, ACKS_FIN},
	  {SERVER, PSH | ACK, 2001, 2, 1000, 0}}},
	{"FIN retransmitted before it is answered",
	 {OPENED,
	  {CLIENT, FIN | ACK, 1, 1, 0, CONTROL},
	  {CLIENT, FIN | ACK, 1, 1, 0, CONTROL},
	  {SERVER, ACK, 1, 2, 0, ACKS_FIN | FIRST_ACK},
	  {SERVER, ACK, 1, 2, 0, 0}}},
	{"FIN retransmitted after its ACK was lost further on",
	 {OPENED,
	  {CLIENT, FIN | ACK, 1, 1, 0, CONTROL},
	  {SERVER, ACK, 1, 2, 0, ACKS_FIN | FIRST_ACK},
	  {CLIENT, FIN | ACK, 1, 1, 0, CONTROL},
	  {SERVER, ACK, 1, 2, 0, ACKS_FIN},
	  {SERVER, ACK, 1, 2, 0, 0}}},
	{"FIN sent again with the data before it",
	 {OPENED,
	  {CLIENT, PSH | ACK, 1, 1, 10, FIRST_DATA},
	  {CLIENT, FIN | ACK, 11, 1, 0, CONTROL},
	  {CLIENT, FIN | PSH | ACK, 1, 1, 10, CONTROL},
	  {SERVER, ACK, 1, 11, 0, FIRST_ACK},
	  {SERVER, ACK, 1, 12, 0, ACKS_FIN}}},
	{"reset, then a stray ACK",
	 {OPENED,
	  {SERVER, RST | ACK, 1, 1, 0, CONTROL},
	  {CLIENT, ACK, 1, 1, 0, ANSWERS},
	  {CLIENT, ACK, 1, 1, 0, 0},
	  {SERVER, RST, 1, 0, 0, CONTROL},
	  {CLIENT, ACK, 1, 1, 0, ANSWERS}}},
	{"reset in answer to a FIN",
	 {OPENED, {CLIENT, FIN | ACK, 1, 1, 0, CONTROL}, {SERVER, RST | ACK, 1, 2, 0, CONTROL | ACKS_FIN}}},
};

static const struct scenario strays[] = {
	{"an ACK that nothing caused", {{CLIENT, ACK, 1, 1, 0, 0}, {SERVER, ACK, 1, 1, 0, 0}}},
	{"own direction does not answer",
	 {{CLIENT, SYN, 0, 0, 0, CONTROL},
	  {CLIENT, ACK, 1, 1, 0, FIRST_ACK},
	  {SERVER, SYN | ACK, 0, 1, 0, CONTROL | ANSWERS},
	  {SERVER, ACK, 1, 1, 0, FIRST_ACK},
	  {CLIENT, ACK, 1, 1, 0, ACKS_SYNACK | ANSWERS}}},
	{"no ACK flag, no answer",
	 {OPENED,
	  {CLIENT, FIN | ACK, 1, 1, 0, CONTROL},
	  {SERVER, PSH, 1, 2, 10, 0},
	  {SERVER, ACK, 1, 2, 0, ACKS_FIN | FIRST_ACK}}},
	{"congestion and urgent bits are of no account",
	 {{CLIENT, SYN | SHK_TCP_ECE | SHK_TCP_CWR | SHK_TCP_AE, 0, 0, 0, CONTROL},
	  {SERVER, SYN | ACK | SHK_TCP_ECE, 0, 1, 0, CONTROL | ANSWERS},
	  {CLIENT, ACK | SHK_TCP_CWR | SHK_TCP_URG | SHK_TCP_RESERVED, 1, 1, 0,
	   ACKS_SYNACK | ANSWERS | FIRST_ACK},
	  {CLIENT, PSH | ACK | SHK_TCP_ECE | SHK_TCP_URG, 1, 1, 10, FIRST_DATA}}},
};

static const uint32_t isns[] = {
	0,          1,          1000,       0x7ffffffe, 0x7fffffff, 0x80000000, 0xff000000, 0xff000001,
	0xfffff000, 0xfffffe0b, 0xfffffff4, 0xfffffff5, 0xfffffffd, 0xfffffffe, 0xffffffff,
};

static void check_step(struct rig *rig, const struct scenario *s, const struct rig_view *view,
		       const struct step *step, const uint32_t isn[2])
{
	uint32_t seq = isn[step->from] + step->seq;
	uint32_t ack = step->flags & ACK ? isn[!step->from] + step->ack : 0;
	const uint8_t *hook;

	for (hook = view->hooks[step->from]; *hook != END; hook++) {
		uint32_t why = rig_judge(rig, step->from, step->flags, seq, ack, step->len, *hook);

		if (why != step->why)
			fail_msg("%s, %s, segment %d, hook %u, ISNs %#x and %#x: why is %#x, not %#x",
				 s->name, view->name, (int)(step - s->steps) + 1, *hook, isn[CLIENT],
				 isn[SERVER], why, step->why);
	}
}

static void run_scenarios(const struct scenario *s, size_t count)
{
	size_t view, c, v;
	struct rig rig;

	for (; count--; s++)
		for (view = 0; view < COUNT_OF(rig_views); view++)
			for (c = 0; c < COUNT_OF(isns); c++)
				for (v = 0; v < COUNT_OF(isns); v++) {
					const uint32_t isn[2] = {isns[c], isns[v]};
					const struct step *step;

					rig_init_default(&rig);
					for (step = s->steps; step->flags; step++)
						check_step(&rig, s, &rig_views[view], step, isn);
					assert_int_equal(rig.displaced, 0);
				}
}

static void test_openings(void **state)
{
	(void)state;
	run_scenarios(openings, COUNT_OF(openings));
}

static void test_reaches(void **state)
{
	(void)state;
	run_scenarios(reaches, COUNT_OF(reaches));
}

static void test_closes(void **state)
{
	(void)state;
	run_scenarios(closes, COUNT_OF(closes));
}

static void test_strays(void **state)
{
	(void)state;
	run_scenarios(strays, COUNT_OF(strays));
}

/* Both directions run through the whole sequence space, over their own ISNs again. */
static void test_data_passes_once(void **state)
{
	struct rig rig;
	uint32_t i, sent = 1;

	(void)state;
	rig_init_default(&rig);
	rig_judge(&rig, CLIENT, SYN, 0, 0, 0, IN);
	rig_judge(&rig, SERVER, SYN | ACK, 0, 1, 0, IN);
	assert_int_equal(rig_judge(&rig, CLIENT, ACK, 1, 1, 0, IN), ACKS_SYNACK | ANSWERS | FIRST_ACK);
	assert_int_equal(rig_judge(&rig, CLIENT, ACK, sent, sent, 1, IN), FIRST_DATA);
	assert_int_equal(rig_judge(&rig, SERVER, ACK, sent, sent, 1, IN), FIRST_DATA);
	for (i = 0; i < 100000; i++) {
		assert_int_equal(rig_judge(&rig, CLIENT, ACK, sent, sent, 65000, IN), 0);
		assert_int_equal(rig_judge(&rig, SERVER, PSH | ACK, sent, sent, 65000, IN), 0);
		sent += 65000;
	}
}

/* RFC 9293 3.5: both ends are the same, so an answer comes in the direction of its cause. */
static void test_self_connect(void **state)
{
	static const uint8_t way[] = {OUT, POST, PRE, IN};
	struct rig rig;
	size_t h;

	(void)state;
	rig_init(&rig, 1, 7, 1, 7, 1);
	for (h = 0; h < COUNT_OF(way); h++)
		assert_int_equal(rig_judge(&rig, CLIENT, SYN, 100, 0, 0, way[h]), CONTROL);
	for (h = 0; h < COUNT_OF(way); h++)
		assert_int_equal(rig_judge(&rig, CLIENT, SYN | ACK, 100, 101, 0, way[h]) &
					 (CONTROL | ANSWERS),
				 CONTROL | ANSWERS);
	for (h = 0; h < COUNT_OF(way); h++)
		assert_int_equal(rig_judge(&rig, CLIENT, PSH | ACK, 101, 101, 10, way[h]),
				 ACKS_SYNACK | ANSWERS | FIRST_DATA);
	for (h = 0; h < COUNT_OF(way); h++)
		assert_int_equal(rig_judge(&rig, CLIENT, ACK, 111, 111, 0, way[h]), FIRST_ACK);
	for (h = 0; h < COUNT_OF(way); h++)
		assert_int_equal(rig_judge(&rig, CLIENT, FIN | ACK, 111, 111, 0, way[h]), CONTROL);
	for (h = 0; h < COUNT_OF(way); h++)
		assert_int_equal(rig_judge(&rig, CLIENT, ACK, 112, 112, 0, way[h]), ACKS_FIN);
	for (h = 0; h < COUNT_OF(way); h++)
		assert_int_equal(rig_judge(&rig, CLIENT, ACK, 112, 112, 0, way[h]), 0);
}

/* Connections that are easily mistaken for the first one; all share one bucket here. */
static void test_no_mix_up(void **state)
{
	static const struct {
		uint8_t client_host;
		uint16_t client_port;
		uint8_t server_host;
		uint16_t server_port;
		uint32_t netns;
	} others[] = {
		{1, 80, 2, 40000, 1}, /* ports exchanged */
		{2, 40000, 1, 80, 1}, /* addresses exchanged */
		{1, 40000, 2, 80, 2}, /* another network namespace */
		{1, 40000, 3, 80, 1}, {1, 40001, 2, 80, 1}, {1, 40000, 2, 81, 1},
	};
	struct shk_segment ack = {.seq = 1, .ack = 1, .tcp_flags = ACK};
	struct rig rig, other;
	size_t i;

	(void)state;
	rig_init_default(&rig);
	rig_judge(&rig, SERVER, SYN | ACK, 0, 1, 0, IN);
	rig_judge(&rig, SERVER, FIN | ACK, 0, 1, 0, IN);
	for (i = 0; i < COUNT_OF(others); i++) {
		rig_init(&other, others[i].client_host, others[i].client_port, others[i].server_host,
			 others[i].server_port, others[i].netns);
		assert_int_equal(rig_judge_in(&rig.bucket, &other, CLIENT, &ack, IN), 0);
		assert_int_equal(rig_judge_in(&rig.bucket, &other, SERVER, &ack, IN), 0);
	}
	assert_int_equal(rig_judge(&rig, CLIENT, ACK, 1, 1, 0, IN), ACKS_SYNACK | ACKS_FIN | ANSWERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openings),         cmocka_unit_test(test_reaches),
		cmocka_unit_test(test_closes),           cmocka_unit_test(test_strays),
		cmocka_unit_test(test_data_passes_once), cmocka_unit_test(test_self_connect),
		cmocka_unit_test(test_no_mix_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
