// SPDX-License-Identifier: GPL-2.0
#include "conn.h"

static const char *const open_codes[] = {
#define SHK_OPEN(code, outcome, words) #code,
#include "verdicts.def"
};

static const char *const open_words[] = {
#define SHK_OPEN(code, outcome, words) words,
#include "verdicts.def"
};

static const signed char open_outcomes[] = {
#define SHK_OPEN(code, outcome, words) outcome,
#include "verdicts.def"
};

static const char *const close_codes[] = {
#define SHK_CLOSE(code, broken, words) #code,
#include "verdicts.def"
};

static const char *const close_words[] = {
#define SHK_CLOSE(code, broken, words) words,
#include "verdicts.def"
};

static const bool close_broken[] = {
#define SHK_CLOSE(code, broken, words) broken,
#include "verdicts.def"
};

static const char *const reuse_codes[] = {
#define SHK_REUSE(code, words) #code,
#include "verdicts.def"
};

static const char *const reuse_words[] = {
#define SHK_REUSE(code, words) words,
#include "verdicts.def"
};

static const char *const blame_names[SHK_BLAME_COUNT] = {
	NULL, "local_firewall", "listener", "local_stack", "application", "network", "peer", "none",
};

static const char *const conflicts[SHK_CONFLICT_COUNT] = {
	"ISN", "BYTES", "OPEN", "CLOSE", "GAP",
};

static const char *const open_flags[SHK_OF_COUNT] = {
	"SYN_RETRANSMIT", "SYNACK_RETRANSMIT", "COOKIE",     "DATA_ON_SYN",
	"DATA_ON_ACK",    "BAD_SYNACK",        "BAD_ACK",    "CHALLENGE",
	"STALE_ACK_RST",  "SYNACK_AFTER_ACK",  "ECN",        "ACCECN",
	"MPTCP",          "MP_JOIN",           "CHILD_LATE", "DEFERRED",
};

static const char *const close_flags[SHK_CF_COUNT] = {
	"FIN_RETRANSMIT", "RST_AFTER_FIN",  "DATA_AFTER_RST",      "RST_IN_TIME_WAIT",
	"MINISOCK_GONE",  "RST_CHALLENGED", "TIME_WAIT_RESTARTED",
};

static const char *const states[SHK_STATE_COUNT] = {
	"CLOSED",     "LISTEN",     "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
	"FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",  "LAST-ACK",     "TIME-WAIT",   "?",
};

const char *shk_open_code(enum shk_open verdict)
{
	return open_codes[verdict];
}

const char *shk_open_words(enum shk_open verdict)
{
	return open_words[verdict];
}

bool shk_open_failed(enum shk_open verdict)
{
	return open_outcomes[verdict] == 0;
}

const char *shk_close_code(enum shk_close verdict)
{
	return close_codes[verdict];
}

const char *shk_close_words(enum shk_close verdict)
{
	return close_words[verdict];
}

bool shk_close_broken(enum shk_close verdict)
{
	return close_broken[verdict];
}

const char *shk_reuse_code(enum shk_reuse verdict)
{
	return reuse_codes[verdict];
}

const char *shk_reuse_words(enum shk_reuse verdict)
{
	return reuse_words[verdict];
}

const char *shk_blame_name(enum shk_blame_where where)
{
	return blame_names[where];
}

const char *shk_conflict_name(unsigned int bit)
{
	return conflicts[bit];
}

const char *shk_open_flag_name(unsigned int bit)
{
	return open_flags[bit];
}

const char *shk_cookie_fate_name(enum shk_cookie_fate fate)
{
	static const char *const fates[SHK_COOKIE_FATE_COUNT] = {NULL, "sent", "valid", "invalid"};

	return fates[fate];
}

const char *shk_close_flag_name(unsigned int bit)
{
	return close_flags[bit];
}

const char *shk_state_name(enum shk_state state)
{
	return states[state];
}
