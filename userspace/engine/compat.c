// SPDX-License-Identifier: GPL-2.0
/*
 * Wireshark: tcp.completeness of version 4.0, bit by bit as it sets them. Zeek: history and conn_state as the
 * documentation of conn.log and the state machine of its TCP analyzer define them.
 *
 * Of Zeek's history the letters that speak of the opening and the close are kept, S H A D F R Q I and ^;
 * those of checksums, gaps, retransmitted data and windows are not. The state follows from the letters, so
 * they are all that a flow has to remember: four bits for each, whose end it was and which letter.
 */
#include "compat.h"

#include <string.h>

#include "handshake.h"

#define LETTERS_MAX 16
#define REPEATS_MAX 10 /* letters, then no more repetitions: the rest is for what has not occurred yet */

enum letter {
	LETTER_NONE,
	LETTER_SYN,
	LETTER_SYNACK,
	LETTER_ACK,
	LETTER_DATA,
	LETTER_FIN,
	LETTER_RST,
	LETTER_ODD, /* more than one of SYN, FIN and RST: I for FIN and RST, else Q */
};

static const char letter_names[] = "\0SHADFRQ";

#define EVERY_PLACE 0x1111111111111111ULL

static unsigned int code_of(enum letter letter, unsigned int from)
{
	return from << 3 | letter;
}

static bool has_letter(const struct shk_flow *f, enum letter letter, unsigned int from)
{
	/* A place that holds the code becomes 0, and then borrows from its own top bit. */
	uint64_t x = f->history ^ EVERY_PLACE * code_of(letter, from);

	return (x - EVERY_PLACE) & ~x & EVERY_PLACE << 3;
}

static unsigned int count_letters(const struct shk_flow *f)
{
	return f->history ? (67 - __builtin_clzll(f->history)) / 4 : 0;
}

static void add_letter(struct shk_flow *f, enum letter letter, unsigned int from)
{
	unsigned int n = count_letters(f);

	if (n < LETTERS_MAX)
		f->history |= (uint64_t)code_of(letter, from) << 4 * n;
}

/* Once, and again if @differs from the last one of its kind. */
static void add_repeatable(struct shk_flow *f, enum letter letter, unsigned int from, bool seen, bool differs)
{
	if (!seen || (differs && count_letters(f) < REPEATS_MAX))
		add_letter(f, letter, from);
}

static unsigned int rst_shift(unsigned int from)
{
	return from ? SHK_RST_LOW_BITS : 0;
}

static void note_rst(struct shk_flow *f, const struct shk_segment *seg, unsigned int from)
{
	const unsigned int mask = (1U << SHK_RST_LOW_BITS) - 1;
	unsigned int low = seg->seq & mask, last = f->rst_low >> rst_shift(from) & mask;

	add_repeatable(f, LETTER_RST, from, has_letter(f, LETTER_RST, from), low != last);
	f->rst_low = (f->rst_low & ~(mask << rst_shift(from))) | low << rst_shift(from);
}

static void note_letter(struct shk_flow *f, const struct shk_segment *seg, unsigned int from)
{
	const struct shk_flow_end *end = &f->end[from];
	bool syn = seg->tcp_flags & SHK_TCP_SYN, fin = seg->tcp_flags & SHK_TCP_FIN;
	bool rst = seg->tcp_flags & SHK_TCP_RST, ack = seg->tcp_flags & SHK_TCP_ACK;
	bool seen;

	if (syn + fin + rst > 1) {
		if (!has_letter(f, LETTER_ODD, from)) {
			add_letter(f, LETTER_ODD, from);
			f->fin_rst |= (unsigned int)(fin && rst) << from;
		}
	} else if (syn) {
		/* Zeek takes a SYN+ACK with the number of the SYN before it for the same. */
		seen = has_letter(f, LETTER_SYN, from) || has_letter(f, LETTER_SYNACK, from);
		add_repeatable(f, ack ? LETTER_SYNACK : LETTER_SYN, from, seen,
			       (end->has & SHK_HAS_ISN) && end->isn != seg->seq);
	} else if (fin) {
		add_repeatable(f, LETTER_FIN, from, has_letter(f, LETTER_FIN, from),
			       (end->has & SHK_HAS_FIN) && end->end_seq != seg->seq + seg->payload_len);
	} else if (rst) {
		note_rst(f, seg, from);
	} else if (seg->payload_len) {
		add_repeatable(f, LETTER_DATA, from, has_letter(f, LETTER_DATA, from), false);
	} else if (ack) {
		add_repeatable(f, LETTER_ACK, from, has_letter(f, LETTER_ACK, from), false);
	}
}

/* The bits that the counts of a flow do not tell. */
static void note_completeness(struct shk_flow *f, const struct shk_segment *seg)
{
	bool syn = seg->tcp_flags & SHK_TCP_SYN, ack = seg->tcp_flags & SHK_TCP_ACK;

	if (ack && seg->tcp_flags & SHK_TCP_FIN)
		f->seen_fin = 1;
	if (syn == ack)
		return;
	if (seg->payload_len)
		f->seen_data = 1;
	else if (ack)
		f->seen_ack = 1;
}

static uint8_t completeness(const struct shk_flow *f)
{
	const struct shk_flow_end *a = &f->end[0], *b = &f->end[1];
	enum letter first = f->history & 7;
	bool begun_by_syn = first == LETTER_SYN || (first == LETTER_ODD && (a->syn || b->syn));
	unsigned int bits = f->stream_next << 1;

	if (f->stream)
		return f->stream;
	/* Wireshark shows the first segment of a conversation before it counts it, unless that is a SYN. */
	if (!f->several && !begun_by_syn)
		return 0;
	/* And a SYN only where it begins the conversation. */
	if (begun_by_syn)
		bits |= SHK_COMPLETE_SYN;
	if (a->synack || b->synack)
		bits |= SHK_COMPLETE_SYNACK;
	if (f->seen_ack)
		bits |= SHK_COMPLETE_ACK;
	if (f->seen_data)
		bits |= SHK_COMPLETE_DATA;
	if (f->seen_fin)
		bits |= SHK_COMPLETE_FIN;
	if (a->rst || b->rst)
		bits |= SHK_COMPLETE_RST;
	return bits;
}

/* Of a segment in a stream that some other segment began. */
static unsigned int later_bits(const struct shk_segment *seg)
{
	bool syn = seg->tcp_flags & SHK_TCP_SYN, ack = seg->tcp_flags & SHK_TCP_ACK;
	unsigned int bits = 0;

	if (syn && ack)
		bits |= SHK_COMPLETE_SYNACK;
	else if (syn != ack && seg->payload_len)
		bits |= SHK_COMPLETE_DATA;
	else if (ack)
		bits |= SHK_COMPLETE_ACK;
	if (ack && seg->tcp_flags & SHK_TCP_FIN)
		bits |= SHK_COMPLETE_FIN;
	if (seg->tcp_flags & SHK_TCP_RST)
		bits |= SHK_COMPLETE_RST;
	return bits;
}

/*
 * To Wireshark a SYN with another number begins another stream, whatever its end makes of it; what follows,
 * an RST that ends the connection too, belongs to that.
 */
static void note_stream(struct shk_flow *f, const struct shk_segment *seg, unsigned int from)
{
	const struct shk_flow_end *end = &f->end[from];
	bool syn = (seg->tcp_flags & (SHK_TCP_SYN | SHK_TCP_ACK)) == SHK_TCP_SYN;

	if (f->stream) {
		f->stream_next |= later_bits(seg) >> 1;
	} else if (syn && f->phase == SHK_PHASE_OPEN && end->syn && end->isn != seg->seq) {
		f->stream = completeness(f);
		f->stream_next = 0;
	}
}

void shk_compat_note(struct shk_flow *f, const struct shk_segment *seg, unsigned int from)
{
	note_stream(f, seg, from);
	note_completeness(f, seg);
	note_letter(f, seg, from);
}

void shk_compat_inherit(struct shk_flow *f, const struct shk_flow *old)
{
	f->stream_next = old->stream ? old->stream_next : 0;
}

/*
 * ---- Zeek's state machine ------------------------------------------------------------------------
 */

enum zeek_state {
	ZEEK_INACTIVE,
	ZEEK_SYN_SENT, /* and SYN_ACK_SENT, which makes no difference here */
	ZEEK_PARTIAL,
	ZEEK_ESTABLISHED,
	ZEEK_CLOSED,
	ZEEK_RESET,
};

/* Ends: 0 the originator, 1 the responder. */
struct zeek {
	enum zeek_state state[2];
	enum zeek_state before[2]; /* what the state was before it changed */
};

static void enter(struct zeek *z, unsigned int end, enum zeek_state state)
{
	if (z->state[end] == state)
		return;
	z->before[end] = z->state[end];
	z->state[end] = state;
}

/* The first segment of an end. */
static void begin(struct zeek *z, unsigned int end, enum letter letter)
{
	unsigned int peer = end ^ 1;

	switch (letter) {
	case LETTER_SYN:
	case LETTER_SYNACK:
		if (!end) {
			enter(z, end, ZEEK_SYN_SENT);
			break;
		}
		if (z->state[peer] == ZEEK_SYN_SENT)
			enter(z, peer, ZEEK_ESTABLISHED);
		enter(z, end, ZEEK_ESTABLISHED);
		break;
	case LETTER_FIN:
		enter(z, end, ZEEK_CLOSED);
		break;
	case LETTER_RST:
		enter(z, end, ZEEK_RESET);
		break;
	case LETTER_ACK:
		/* Some acknowledge a SYN before they answer it. */
		if (end && z->state[peer] == ZEEK_SYN_SENT)
			break;
		/* fall through */
	case LETTER_DATA:
		enter(z, end, z->state[peer] == ZEEK_ESTABLISHED ? ZEEK_ESTABLISHED : ZEEK_PARTIAL);
		break;
	case LETTER_NONE:
	case LETTER_ODD:
		break;
	}
}

static void go_on(struct zeek *z, unsigned int end, enum letter letter)
{
	unsigned int peer = end ^ 1;
	bool closed = z->state[end] == ZEEK_CLOSED;

	if (letter == LETTER_SYN && z->state[end] == ZEEK_PARTIAL && z->state[peer] == ZEEK_INACTIVE)
		enter(z, end, ZEEK_SYN_SENT);
	if (letter == LETTER_FIN && !closed) {
		enter(z, end, ZEEK_CLOSED);
		/* FIN, then RST, and now the other FIN: that was a close after all. */
		if (z->state[peer] == ZEEK_RESET && z->before[peer] == ZEEK_CLOSED)
			enter(z, peer, ZEEK_CLOSED);
	}
	if (letter == LETTER_RST && !(closed && z->state[peer] == ZEEK_CLOSED))
		enter(z, end, ZEEK_RESET);
}

static void take(struct zeek *z, unsigned int end, enum letter letter)
{
	if (z->state[end] == ZEEK_INACTIVE)
		begin(z, end, letter);
	else if (z->state[end] != ZEEK_RESET)
		go_on(z, end, letter);
}

static bool is_inactive(enum zeek_state state)
{
	return state == ZEEK_INACTIVE || state == ZEEK_PARTIAL;
}

/* S, then R, and of the letters between none that says more. */
static bool is_syn_then_rst(const char *history)
{
	history += *history == '^';
	return *history == 'S' && history[1 + strcspn(history + 1, "HAFGIQR")] == 'R';
}

static const char *state_of_reset(const struct zeek *z, const char *history)
{
	enum zeek_state orig = z->state[0], resp = z->state[1];
	bool empty = !strpbrk(history, "Dd");

	if (resp == ZEEK_RESET) {
		if (orig == ZEEK_SYN_SENT || (orig == ZEEK_RESET && empty))
			return "REJ";
		return is_inactive(orig) ? "RSTRH" : "RSTR";
	}
	if (!is_inactive(resp))
		return "RSTO";
	return is_syn_then_rst(history) ? "RSTOS0" : "OTH";
}

/* As Conn::conn_state() of scripts/base/protocols/conn/main.zeek has it. */
static const char *conn_state(const struct zeek *z, const char *history)
{
	enum zeek_state orig = z->state[0], resp = z->state[1];

	if (resp == ZEEK_RESET || orig == ZEEK_RESET)
		return state_of_reset(z, history);
	if (resp == ZEEK_CLOSED && orig == ZEEK_CLOSED)
		return "SF";
	if (orig == ZEEK_CLOSED)
		return is_inactive(resp) ? "SH" : "S2";
	if (resp == ZEEK_CLOSED)
		return is_inactive(orig) ? "SHR" : "S3";
	if (orig == ZEEK_SYN_SENT && resp == ZEEK_INACTIVE)
		return "S0";
	return orig == ZEEK_ESTABLISHED && resp == ZEEK_ESTABLISHED ? "S1" : "OTH";
}

void shk_compat_fill(struct shk_compat *out, const struct shk_flow *f)
{
	uint64_t rest = f->history;
	char *p = out->history;
	struct zeek z = {0};

	/* No segment was seen: the record is a socket's. */
	if (!f->end[0].hooks && !f->end[1].hooks)
		return;
	out->completeness = completeness(f);
	/* Begun by a SYN+ACK: Zeek first takes its sender for the originator, and then thinks better. */
	if ((rest & 7) == LETTER_SYNACK && (rest >> 3 & 1) != f->client)
		*p++ = '^';
	for (; rest; rest >>= 4) {
		unsigned int from = rest >> 3 & 1, end = from != f->client;
		enum letter letter = rest & 7;
		bool fin_rst = letter == LETTER_ODD && f->fin_rst >> from & 1;
		char c = fin_rst ? 'I' : letter_names[letter];

		*p++ = end ? c | 0x20 : c;
		take(&z, end, fin_rst ? LETTER_RST : letter);
	}
	*p = '\0';
	strcpy(out->conn_state, conn_state(&z, out->history));
}
