// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "filter.h"

/* SYN from 10.0.0.1:40000 to 10.0.0.2:443: IP header first, as the module shows it. */
static const uint8_t syn4[40] = {
	0x45, 0,    0,    40,   0, 0, 0, 0, 64, 6, 0, 0, 10,   0,    0, 1, 10, 0, 0, 2,
	0x9c, 0x40, 0x01, 0xbb, 0, 0, 0, 1, 0,  0, 0, 0, 0x50, 0x02, 0, 0, 0,  0, 0, 0,
};

/* The same between 2001:db8::1 and 2001:db8::2. */
static const uint8_t syn6[60] = {
	0x60, 0,    0,    0,    0,    20,   6,    64,   0x20, 0x01, 0x0d, 0xb8, 0,    0,    0, 0, 0, 0, 0, 0,
	0,    0,    0,    1,    0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,    0,    0,    0,    0, 0, 0, 0, 0, 2,
	0x9c, 0x40, 0x01, 0xbb, 0,    0,    0,    1,    0,    0,    0,    0,    0x50, 0x02, 0, 0, 0, 0, 0, 0,
};

/* The kernel's and libpcap's instructions are the same: the latter's interpreter says what matches. */
static bool matches(const char *expression, const uint8_t *packet, size_t size)
{
	struct shk_filter_program program = {0};
	struct shk_error err;
	bool result;

	if (shk_filter_compile(expression, &program, &err))
		fail_msg("%s", err.text);
	result = bpf_filter((const struct bpf_insn *)program.insns, packet, size, size) != 0;
	shk_filter_release(&program);
	return result;
}

static void test_packets_begin_with_ip(void **state)
{
	static const struct {
		const char *expression;
		bool v4, v6;
	} cases[] = {
		{"tcp", true, true},
		{"", true, true},
		{"port 443", true, true},
		{"port 80", false, false},
		{"dst port 443 and host 10.0.0.1", true, false},
		{"src host 10.0.0.2", false, false},
		{"ip6 and src net 2001:db8::/64", false, true},
		{"tcp[tcpflags] & tcp-syn != 0", true, false}, /* pcap-filter(7): tcp[] is IPv4 only */
		{"portrange 40000-40001", true, true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%s\n", cases[i].expression);
		assert_int_equal(matches(cases[i].expression, syn4, sizeof(syn4)), cases[i].v4);
		assert_int_equal(matches(cases[i].expression, syn6, sizeof(syn6)), cases[i].v6);
	}
}

/* The same check that the module asks of the kernel. */
static void test_kernel_accepts(void **state)
{
	struct shk_filter_program program = {0};
	struct sock_fprog fprog;
	struct shk_error err;
	int sock;

	(void)state;
	assert_int_equal(shk_filter_compile("tcp port 443 and host 10.0.0.1", &program, &err), 0);
	fprog.len = program.len;
	fprog.filter = program.insns;
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(sock >= 0);
	assert_int_equal(setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof(fprog)), 0);
	close(sock);
	shk_filter_release(&program);
	assert_null(program.insns);
}

static void test_errors_name_the_expression(void **state)
{
	static const char *const wrong[] = {
		"port",     "prot 443", "host 10.0.0.999", "tcp and and port 80", "ether host 1:2:3:4:5:6",
		"(port 80",
	};
	struct shk_filter_program program = {0};
	struct shk_error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memset(&err, 0, sizeof(err));
		assert_int_equal(shk_filter_compile(wrong[i], &program, &err), -EINVAL);
		assert_int_equal(err.code, -EINVAL);
		assert_non_null(strstr(err.text, wrong[i]));
		assert_non_null(strstr(err.text, "pcap-filter"));
		assert_null(program.insns);
	}
}

static void test_too_long_for_the_kernel(void **state)
{
	enum { HOSTS = 6000, LINE = 40 };
	char *expression = calloc(HOSTS, LINE), *end = expression;
	struct shk_filter_program program = {0};
	struct shk_error err;
	int i;

	(void)state;
	assert_non_null(expression);
	for (i = 0; i < HOSTS; i++)
		end += sprintf(end, "%ssrc host 10.%d.%d.1", i ? " or " : "", i / 250, i % 250);
	assert_int_equal(shk_filter_compile(expression, &program, &err), -EINVAL);
	assert_null(program.insns);
	free(expression);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets_begin_with_ip),
		cmocka_unit_test(test_kernel_accepts),
		cmocka_unit_test(test_errors_name_the_expression),
		cmocka_unit_test(test_too_long_for_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
