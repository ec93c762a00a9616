/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values as people read them: addresses, spans of time, amounts of data, the time of day.
 *
 * Each writes a NUL-terminated string into @buf and returns @buf, so that it can stand in the argument
 * list of a printf.
 */
#ifndef SHK_FORMAT_H
#define SHK_FORMAT_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHK_ADDR_SIZE	INET6_ADDRSTRLEN
#define SHK_END_SIZE	(INET6_ADDRSTRLEN + 8)	/* "[" address "]:65535" */
#define SHK_SPAN_SIZE	24
#define SHK_BYTES_SIZE	16
#define SHK_CLOCK_SIZE	16
#define SHK_DECIMAL_SIZE 20			/* digits of UINT64_MAX; no NUL */
#define SHK_HEX_SIZE	17			/* of UINT64_MAX, and a NUL */

/* ::ffff:a.b.c.d, the form of IPv4 in every event, is written a.b.c.d. */
bool shk_addr_is_ipv4(const uint8_t addr[16]);
const char *shk_format_addr(char buf[SHK_ADDR_SIZE], const uint8_t addr[16]);

/* "192.0.2.1:443" or "[2001:db8::1]:443" */
const char *shk_format_end(char buf[SHK_END_SIZE], const uint8_t addr[16], uint16_t port);

/* "850 ns", "31 µs", "0.15 ms", "3.2 s", "2 min 5 s"; "?" for SHK_UNKNOWN_NS */
const char *shk_format_span(char buf[SHK_SPAN_SIZE], uint64_t ns, bool utf8);

/* "512 B", "1.2 kB", "14 kB": powers of 1000 */
const char *shk_format_bytes(char buf[SHK_BYTES_SIZE], uint64_t bytes);

/* "12:43:07.112", local time; @real_ns is since the epoch */
const char *shk_format_clock(char buf[SHK_CLOCK_SIZE], int64_t real_ns);

/* Decimal digits, not NUL-terminated; returns their number. For records by the hundred thousand. */
size_t shk_format_decimal(char buf[SHK_DECIMAL_SIZE], uint64_t value);

/* Sixteen digits. */
const char *shk_format_hex(char buf[SHK_HEX_SIZE], uint64_t value);

/* Time of day of a monotonic time stamp, in ns since the epoch. */
static inline int64_t shk_real_ns(uint64_t mono_ns, int64_t real_offset_ns)
{
	return (int64_t)(mono_ns + (uint64_t)real_offset_ns);
}

#endif /* SHK_FORMAT_H */
