// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer for pcapng.h: any octets as a file.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "pcapng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Looks at every octet. */
static unsigned int sum_of(const uint8_t *octets, uint32_t len)
{
	unsigned int sum = 0;

	while (len)
		sum += octets[--len];
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shk_pcapng_packet packet;
	const char *reason = NULL;
	struct shk_pcapng *r;
	FILE *file;
	int rc;

	if (!size)
		return 0;
	file = fmemopen((void *)data, size, "r");
	r = shk_pcapng_new(file);
	if (!file || !r)
		abort();
	while ((rc = shk_pcapng_next(r, &packet, &reason)) > 0)
		if (sum_of(packet.octets, packet.have) && !packet.have)
			abort();
	if (rc < 0 && !reason)
		abort();
	shk_pcapng_free(r);
	fclose(file);
	return 0;
}
