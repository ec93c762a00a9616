// SPDX-License-Identifier: GPL-2.0
#include "source.h"

const char shk_shows_wire[] = "every SYN, SYN+ACK, handshake ACK, FIN, closing ACK and RST";

struct shk_fact *shk_facts_add(struct shk_facts *facts)
{
	struct shk_fact *fact = &facts->of[facts->n < SHK_FACTS_MAX ? facts->n++ : SHK_FACTS_MAX - 1];

	*fact = (struct shk_fact){0};
	return fact;
}
