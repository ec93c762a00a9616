// SPDX-License-Identifier: GPL-2.0
/*
 * See format.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/conn.h"
#include "format.h"

#define NS_PER_SEC 1000000000LL

bool shk_addr_is_ipv4(const uint8_t addr[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(addr, mapped, sizeof(mapped)) == 0;
}

const char *shk_format_addr(char buf[SHK_ADDR_SIZE], const uint8_t addr[16])
{
	char *p = buf;

	if (shk_addr_is_ipv4(addr)) {
		for (int i = 12; i < 16; i++) {
			p += shk_format_decimal(p, addr[i]);
			*p++ = i < 15 ? '.' : '\0';
		}
		return buf;
	}
	return inet_ntop(AF_INET6, addr, buf, SHK_ADDR_SIZE);
}

const char *shk_format_end(char buf[SHK_END_SIZE], const uint8_t addr[16], uint16_t port)
{
	char text[SHK_ADDR_SIZE];
	bool bare = shk_addr_is_ipv4(addr);

	snprintf(buf, SHK_END_SIZE, "%s%s%s:%u", bare ? "" : "[", shk_format_addr(text, addr),
		 bare ? "" : "]", port);
	return buf;
}

/* A number in some unit: the first row whose limit is not reached is used. */
struct scale {
	uint64_t below; /* in the base unit, after rounding to what is shown */
	uint64_t unit;  /* base units in one of the unit shown */
	unsigned int decimals;
	const char *name;
};

/* Rounded half up, in the smallest decimal shown; @value + half a step must not overflow. */
static uint64_t scale_round(const struct scale *s, uint64_t value)
{
	uint64_t step = s->unit;

	for (unsigned int i = 0; i < s->decimals; i++)
		step /= 10;
	return value / step + (value % step >= (step + 1) / 2);
}

/* The last row must have UINT64_MAX as its limit. */
static void scale_print(char *buf, size_t size, const struct scale *rows, uint64_t value)
{
	uint64_t ten = 1, shown;

	/* 999.9 of a unit may round up to 1000, which belongs to the next row. */
	for (;; rows++) {
		ten = rows->decimals == 2 ? 100 : rows->decimals == 1 ? 10 : 1;
		shown = scale_round(rows, value);
		if (rows->below == UINT64_MAX || shown < rows->below / (rows->unit / ten))
			break;
	}
	if (rows->decimals)
		snprintf(buf, size, "%" PRIu64 ".%0*" PRIu64 " %s", shown / ten, (int)rows->decimals,
			 shown % ten, rows->name);
	else
		snprintf(buf, size, "%" PRIu64 " %s", shown, rows->name);
}

static const char *format_long_span(char *buf, uint64_t ns)
{
	uint64_t s = ns / 1000000000 + (ns % 1000000000 >= 500000000);

	if (s < 3600)
		snprintf(buf, SHK_SPAN_SIZE, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, SHK_SPAN_SIZE, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s / 60 % 60);
	else
		snprintf(buf, SHK_SPAN_SIZE, "%" PRIu64 " d %" PRIu64 " h", s / 86400, s / 3600 % 24);
	return buf;
}

const char *shk_format_span(char buf[SHK_SPAN_SIZE], uint64_t ns, bool utf8)
{
	/* clang-format off */
	const struct scale rows[] = {
		{ 1000,		1,		0, "ns" },
		{ 100000,	1000,		0, utf8 ? "µs" : "us" },
		{ 10000000,	1000000,	2, "ms" },
		{ 100000000,	1000000,	1, "ms" },
		{ 1000000000,	1000000,	0, "ms" },
		{ UINT64_MAX,	1000000000,	1, "s" },
	};
	/* clang-format on */

	if (ns == SHK_UNKNOWN_NS)
		return strcpy(buf, "?");
	if (ns >= 59950000000)
		return format_long_span(buf, ns);
	scale_print(buf, SHK_SPAN_SIZE, rows, ns);
	return buf;
}

const char *shk_format_bytes(char buf[SHK_BYTES_SIZE], uint64_t bytes)
{
	/* clang-format off */
	static const struct scale rows[] = {
		{ 1000,			1,			0, "B" },
		{ 10000,		1000,			1, "kB" },
		{ 1000000,		1000,			0, "kB" },
		{ 10000000,		1000000,		1, "MB" },
		{ 1000000000,		1000000,		0, "MB" },
		{ 10000000000,		1000000000,		1, "GB" },
		{ 1000000000000,	1000000000,		0, "GB" },
		{ 10000000000000,	1000000000000,		1, "TB" },
		{ UINT64_MAX,		1000000000000,		0, "TB" },
	};
	/* clang-format on */

	scale_print(buf, SHK_BYTES_SIZE, rows, bytes);
	return buf;
}

const char *shk_format_clock(char buf[SHK_CLOCK_SIZE], int64_t real_ns)
{
	int64_t frac_ns = real_ns % NS_PER_SEC;
	time_t s = real_ns / NS_PER_SEC;
	struct tm tm;

	if (frac_ns < 0) {
		frac_ns += NS_PER_SEC;
		s--;
	}
	if (!localtime_r(&s, &tm))
		return strcpy(buf, "?");
	/* The remainders are what they are already; they tell the compiler that the text fits. */
	snprintf(buf, SHK_CLOCK_SIZE, "%02u:%02u:%02u.%03u", (unsigned int)tm.tm_hour % 100,
		 (unsigned int)tm.tm_min % 100, (unsigned int)tm.tm_sec % 100,
		 (unsigned int)(frac_ns / 1000000) % 1000);
	return buf;
}

static const char pairs[] = "0001020304050607080910111213141516171819"
			    "2021222324252627282930313233343536373839"
			    "4041424344454647484950515253545556575859"
			    "6061626364656667686970717273747576777879"
			    "8081828384858687888990919293949596979899";

/* Most are counts of 0 and 1. Two digits at a time: division is what it costs. */
size_t shk_format_decimal(char buf[SHK_DECIMAL_SIZE], uint64_t value)
{
	char digits[SHK_DECIMAL_SIZE];
	char *p = digits + sizeof(digits);
	size_t len;

	if (value < 10) {
		*buf = '0' + value;
		return 1;
	}
	for (; value >= 10; value /= 100) {
		p -= 2;
		memcpy(p, pairs + value % 100 * 2, 2);
	}
	if (value)
		*--p = '0' + value;
	len = digits + sizeof(digits) - p;
	memcpy(buf, p, len);
	return len;
}

const char *shk_format_hex(char buf[SHK_HEX_SIZE], uint64_t value)
{
	for (int i = SHK_HEX_SIZE - 2; i >= 0; i--, value >>= 4)
		buf[i] = "0123456789abcdef"[value & 15];
	buf[SHK_HEX_SIZE - 1] = '\0';
	return buf;
}
