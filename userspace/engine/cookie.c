// SPDX-License-Identifier: GPL-2.0
#include "cookie.h"

#include "verdict.h"

#define WSCALE_MAX 14 /* RFC 7323 2.3 */

void shk_cookie_observe(struct shk_flow *f, uint8_t where, const struct shk_socket *sock)
{
	switch (where) {
	case SHK_SOCK_COOKIE_SENT:
		f->open_flags |= SHK_OF_COOKIE;
		break;
	case SHK_SOCK_COOKIE_VALIDATED:
		f->open_flags |= SHK_OF_COOKIE;
		f->cookie &= ~SHK_FLOW_COOKIE_KEPT;
		f->cookie |= sock->value & SHK_FLOW_COOKIE_KEPT;
		f->cookie |= SHK_FLOW_COOKIE_TOLD | SHK_FLOW_COOKIE_VALID;
		break;
	case SHK_SOCK_RESET_SENT:
		if (sock->reason == SHK_REASON_INVALID_COOKIE)
			f->cookie |= SHK_FLOW_COOKIE_INVALID;
		break;
	}
}

/* Who speaks as the server of a connection has taken the cookie, or there had been no need of it. */
static bool is_taken(const struct shk_flow *f)
{
	unsigned int server = shk_flow_server(f);

	return f->cookie & SHK_FLOW_COOKIE_VALID || f->established & 1U << server ||
	       f->end[server].has & SHK_HAS_FIN;
}

/* What the host can keep is what its SYN+ACK agrees to; only the client's scale is not in there. */
static uint8_t kept_as_segments_tell(const struct shk_conn *conn)
{
	const struct shk_end *client = &conn->end[SHK_CLIENT], *server = &conn->end[SHK_SERVER];
	uint8_t kept = SHK_COOKIE_TIMESTAMPS;

	if (!(server->options & SHK_OPT_TIMESTAMPS))
		return 0;
	if (!(server->options & SHK_OPT_WSCALE))
		kept |= SHK_COOKIE_WSCALE;
	else
		kept |= client->wscale < WSCALE_MAX ? client->wscale : WSCALE_MAX;
	if (server->options & SHK_OPT_SACK_PERMITTED)
		kept |= SHK_COOKIE_SACK;
	if (server->syn_flags & SHK_TCP_ECE)
		kept |= SHK_COOKIE_ECN;
	return kept;
}

void shk_cookie_fill(struct shk_conn *conn, const struct shk_flow *f)
{
	const struct shk_end *client = &conn->end[SHK_CLIENT], *server = &conn->end[SHK_SERVER];
	struct shk_cookie *cookie = &conn->cookie;

	if (!(f->open_flags & SHK_OF_COOKIE) && conn->open != SHK_O_COOKIE)
		return;
	cookie->fate = is_taken(f)                           ? SHK_COOKIE_VALID
		       : f->cookie & SHK_FLOW_COOKIE_INVALID ? SHK_COOKIE_INVALID
							     : SHK_COOKIE_SENT;
	if (f->cookie & SHK_FLOW_COOKIE_TOLD) {
		cookie->kept_known = true;
		cookie->kept = f->cookie & SHK_FLOW_COOKIE_KEPT;
	} else if (server->synack && (client->syn || !(server->options & SHK_OPT_TIMESTAMPS))) {
		cookie->kept_known = true;
		cookie->kept = kept_as_segments_tell(conn);
	}
}
