// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer for pcapng.h: any octets as a file.
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -D_GNU_SOURCE -Iuserspace \
 *		tests/fuzz/fuzz_pcapng.c userspace/pcapng.c -o fuzz_pcapng
 *	./fuzz_pcapng -max_len=4096 -max_total_time=60 [CORPUS]
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "pcapng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shk_pcapng_packet packet;
	const char *reason = NULL;
	struct shk_pcapng *r;
	volatile uint8_t sum = 0;
	uint32_t i;
	FILE *file;
	int rc;

	if (!size)
		return 0;
	file = fmemopen((void *)data, size, "r");
	r = shk_pcapng_new(file);
	if (!file || !r)
		abort();
	while ((rc = shk_pcapng_next(r, &packet, &reason)) > 0)
		for (i = 0; i < packet.have; i++)
			sum += packet.octets[i];
	if (rc < 0 && !reason)
		abort();
	shk_pcapng_free(r);
	fclose(file);
	return 0;
}
