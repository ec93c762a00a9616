// SPDX-License-Identifier: GPL-2.0
/*
 * SHA-1 over seed, addresses, protocol, a zero octet and ports, all in network byte order; the lower
 * end (address, then port) first. Identity, not security: a weak hash is what the specification says.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include <nettle/base64.h>
#include <nettle/sha1.h>

#include "community_id.h"
#include "engine/conn.h"
#include "format.h"

static uint8_t *put(uint8_t *p, const void *octets, size_t size)
{
	memcpy(p, octets, size);
	return p + size;
}

static uint8_t *put_port(uint8_t *p, uint16_t port)
{
	*p++ = port >> 8;
	*p++ = port & 0xff;
	return p;
}

void shk_community_id(char buf[SHK_COMMUNITY_ID_SIZE], const struct shk_end *one, const struct shk_end *other)
{
	bool ipv4 = shk_addr_is_ipv4(one->addr) && shk_addr_is_ipv4(other->addr);
	size_t skip = ipv4 ? 12 : 0;
	size_t size = 16 - skip;
	int order = memcmp(one->addr, other->addr, 16);
	uint8_t input[2 + 16 + 16 + 2 + 4] = {0}; /* begins with the seed, 0 */
	uint8_t digest[SHA1_DIGEST_SIZE];
	const struct shk_end *low = one, *high = other;
	struct sha1_ctx sha1;
	uint8_t *p = input + 2;

	if (order > 0 || (order == 0 && one->port > other->port)) {
		low = other;
		high = one;
	}
	p = put(p, low->addr + skip, size);
	p = put(p, high->addr + skip, size);
	*p++ = IPPROTO_TCP;
	*p++ = 0;
	p = put_port(p, low->port);
	p = put_port(p, high->port);

	sha1_init(&sha1);
	sha1_update(&sha1, p - input, input);
	sha1_digest(&sha1, sizeof(digest), digest);
	memcpy(buf, "1:", 2);
	base64_encode_raw(buf + 2, sizeof(digest), digest);
	buf[SHK_COMMUNITY_ID_SIZE - 1] = '\0';
	_Static_assert(2 + BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE) + 1 == SHK_COMMUNITY_ID_SIZE,
		       "size of a Community ID");
}
