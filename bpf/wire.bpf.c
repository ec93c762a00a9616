// SPDX-License-Identifier: GPL-2.0
/*
 * The wire without a module: a BPF netfilter program (Linux 6.4) at each hook, emitting the same struct
 * shk_event through the same gate as tcpshake.ko. One program, linked once for each hook and address
 * family of each network namespace.
 *
 * The verdict is always NF_ACCEPT.
 */
#include "gate_map.bpf.h"
#include "options.h"
#include "path.bpf.h"

/* Set by the loader before the program is loaded. */
const volatile __u64 shk_key[2] = { 0, 0 };

/* Where the TCP header is, once the IP headers have been read. */
struct shk_l4 {
	__u32 offset;
	__u32 len;	/* octets of TCP header and payload */
};

enum shk_parse { SHK_PARSED, SHK_NOT_TCP, SHK_FRAGMENT, SHK_BAD };

static __always_inline enum shk_parse
shk_parse_ipv4(struct shk_event *ev, const struct bpf_dynptr *p, __u32 len, struct shk_l4 *l4)
{
	__u8 buffer[20];
	const __u8 *ip = bpf_dynptr_slice(p, 0, buffer, sizeof(buffer));

	if (!ip)
		return SHK_BAD;
	if (ip[9] != SHK_PROTO_TCP)
		return SHK_NOT_TCP;
	l4->offset = (ip[0] & 15) * 4;
	if (l4->offset < 20 || l4->offset > len)
		return SHK_BAD;
	if (shk_be16(ip + 6) & 0x1fff)
		return SHK_FRAGMENT;
	l4->len = len - l4->offset;
	ev->saddr[10] = ev->saddr[11] = ev->daddr[10] = ev->daddr[11] = 0xff;
	__builtin_memcpy(ev->saddr + 12, ip + 12, 4);
	__builtin_memcpy(ev->daddr + 12, ip + 16, 4);
	ev->seg.ip_id = shk_be16(ip + 4);
	ev->seg.ttl = ip[8];
	ev->seg.dsfield = ip[1];
	return SHK_PARSED;
}

/* Extension headers that may stand before TCP; more of them than this is nobody's TCP. */
#define SHK_EXTENSIONS_MAX 8

/*
 * Steps over hop-by-hop (0), routing (43), destination options (60), mobility (135), authentication
 * (51) and fragment (44) headers, RFC 8200 4.
 */
static __always_inline enum shk_parse
shk_skip_extensions(const struct bpf_dynptr *p, __u8 next, struct shk_l4 *l4)
{
	__u8 buffer[8];
	int i;

	for (i = 0; i < SHK_EXTENSIONS_MAX; i++) {
		const __u8 *ext;

		if (next == SHK_PROTO_TCP)
			return SHK_PARSED;
		if (next != 0 && next != 43 && next != 44 && next != 51 && next != 60 && next != 135)
			return SHK_NOT_TCP;
		ext = bpf_dynptr_slice(p, l4->offset, buffer, sizeof(buffer));
		if (!ext)
			return SHK_BAD;
		if (next == 44 && shk_be16(ext + 2) & 0xfff8)
			return ext[0] == SHK_PROTO_TCP ? SHK_FRAGMENT : SHK_NOT_TCP;
		l4->offset += next == 44 ? 8 : next == 51 ? (ext[1] + 2) * 4 : (ext[1] + 1) * 8;
		next = ext[0];
	}
	return SHK_NOT_TCP;
}

static __always_inline enum shk_parse
shk_parse_ipv6(struct shk_event *ev, const struct bpf_dynptr *p, __u32 len, struct shk_l4 *l4)
{
	__u8 buffer[40];
	const __u8 *ip = bpf_dynptr_slice(p, 0, buffer, sizeof(buffer));
	enum shk_parse result;

	if (!ip)
		return SHK_BAD;
	__builtin_memcpy(ev->saddr, ip + 8, 16);
	__builtin_memcpy(ev->daddr, ip + 24, 16);
	ev->seg.ttl = ip[7];
	ev->seg.dsfield = (ip[0] << 4 | ip[1] >> 4) & 0xff;
	l4->offset = 40;
	result = shk_skip_extensions(p, ip[6], l4);
	if (result != SHK_PARSED)
		return result;
	if (l4->offset > len)
		return SHK_BAD;
	l4->len = len - l4->offset;
	return SHK_PARSED;
}

/* The fixed header: all that the gate needs. Options are read only for what passes. */
static __always_inline enum shk_parse
shk_parse_tcp(struct shk_event *ev, const struct bpf_dynptr *p, const struct shk_l4 *l4, __u32 *options_len)
{
	__u8 buffer[SHK_TCP_HEADER_MIN];
	const __u8 *tcp = bpf_dynptr_slice(p, l4->offset, buffer, sizeof(buffer));
	__u32 doff;

	if (!tcp)
		return SHK_BAD;
	doff = (tcp[12] >> 4) * 4;
	if (doff < SHK_TCP_HEADER_MIN || doff > l4->len)
		return SHK_BAD;
	*options_len = doff - SHK_TCP_HEADER_MIN;
	shk_header_fixed(ev, tcp, l4->len - doff);
	return SHK_PARSED;
}

static __always_inline void
shk_parse_options(struct shk_event *ev, const struct bpf_dynptr *p, const struct shk_l4 *l4, __u32 want)
{
	__u32 have = want & 63, offset = l4->offset + SHK_TCP_HEADER_MIN;
	const __u8 *usual = NULL;
	__u8 buffer[64] = {};

	if (have == 0 || have > SHK_TCP_OPTIONS_MAX)
		return;
	if (have == SHK_OPTIONS_USUAL)
		usual = bpf_dynptr_slice(p, offset, buffer, SHK_OPTIONS_USUAL);
	if (usual && shk_options_read_usual(&ev->seg, usual))
		return;
	if (bpf_dynptr_read(buffer, have, p, offset, 0))
		have = 0;
	shk_options_parse(&ev->seg, buffer, have, want);
}

/*
 * The sender's socket. It may be a request or a TIME-WAIT minisock, which lack the members of a full one.
 * Before 6.13 resets and the ACKs of minisocks hang on a raw socket that each CPU has for them, which
 * says nothing about the connection.
 */
static __always_inline void shk_describe_socket(struct shk_segment *seg, const struct sock *sk)
{
	const struct inet_timewait_sock *tw = SHK_CAST(sk, struct inet_timewait_sock);
	const struct request_sock *req = SHK_CAST(sk, struct request_sock);
	__u8 state = sk->__sk_common.skc_state;

	if (state == SHK_TCP_NEW_SYN_RECV)
		seg->synack_timeouts = BPF_CORE_READ_BITFIELD(req, num_timeout);
	else if (state == SHK_TCP_TIME_WAIT)
		state = tw->tw_substate;
	else if (sk->sk_protocol != SHK_PROTO_TCP)
		return;
	else if (state == SHK_TCP_LISTEN && (seg->tcp_flags & SHK_TCP_SYN))
		return; /* no request: a SYN cookie */
	seg->sock_state = state;
}

static __always_inline void shk_describe_packet(struct shk_event *ev, struct bpf_nf_ctx *ctx, __u64 packet)
{
	const struct nf_hook_state *state = ctx->state;
	const struct sk_buff *skb = ctx->skb;
	const struct skb_shared_info *shared = SHK_CAST(skb->head + skb->end, struct skb_shared_info);
	const struct net_device *dev;
	const struct sock *sk;

	ev->seg.gso_segs = shared->gso_segs;
	if (!ev->seg.gso_segs)
		ev->seg.gso_segs = 1;
	ev->seg.mark = skb->mark;
	ev->seg.skb_id = packet >> 32;

	sk = skb->sk;
	if (ev->where == SHK_HOOK_LOCAL_OUT && sk)
		shk_describe_socket(&ev->seg, sk);

	/* Of arrival where the packet is still on its way in, of departure where it goes out. */
	dev = ev->where == SHK_HOOK_LOCAL_OUT || ev->where == SHK_HOOK_POST_ROUTING ? state->out : state->in;
	ev->ifindex = dev ? dev->ifindex : 0;
}

static __always_inline enum shk_parse
shk_observe(struct bpf_nf_ctx *ctx, struct shk_bpf_account *acc)
{
	const struct nf_hook_state *state = ctx->state;
	struct shk_hash_key key = { { shk_key[0], shk_key[1] } };
	struct shk_event ev = { .kind = SHK_EV_SEGMENT };
	struct shk_path_slot *path = NULL;
	struct shk_event *slot;
	struct shk_l4 l4 = {};
	struct shk_gate_bucket *bucket;
	struct shk_gate_result res;
	enum shk_parse result;
	struct bpf_dynptr p;
	struct shk_tuple t;
	int loopback = shk_paths && shk_path_is_loopback(state);
	__u32 options_len = 0;
	__u64 hash, packet;

	if (loopback && state->hook != SHK_HOOK_LOCAL_OUT && shk_path_pass(acc, ctx))
		return SHK_PARSED;
	if (bpf_dynptr_from_skb((struct __sk_buff *)ctx->skb, 0, &p))
		return SHK_BAD;
	result = state->pf == SHK_PF_INET ? shk_parse_ipv4(&ev, &p, ctx->skb->len, &l4)
					  : shk_parse_ipv6(&ev, &p, ctx->skb->len, &l4);
	if (result != SHK_PARSED)
		return result;
	result = shk_parse_tcp(&ev, &p, &l4, &options_len);
	if (result != SHK_PARSED)
		return result;

	ev.ts_ns = bpf_ktime_get_ns();
	ev.where = state->hook;
	ev.netns = state->net->ns.inum;
	shk_tuple_from_event(&t, &ev);
	hash = shk_tuple_hash(&t, &key);
	bucket = shk_gate_bucket_of(hash);
	if (!bucket)
		return SHK_BAD;
	shk_gate_judge(bucket, hash, &t, &ev.seg, ev.where, ev.ts_ns, &res);
	if (res.displaced)
		shk_count(acc->gate_displaced, res.displaced);
	if (res.first_displaced)
		shk_count(acc->gate_first_displaced, res.first_displaced);
	if (!res.why)
		return SHK_PARSED;

	ev.seg.why = res.why;
	ev.cpu = bpf_get_smp_processor_id();
	packet = shk_packet_hash(ctx);
	if (loopback && state->hook == SHK_HOOK_LOCAL_OUT)
		path = shk_path_begin(acc, packet, ev.ts_ns);
	slot = path ? &path->ev : shk_rings_reserve(acc, ev.ts_ns, 1);
	if (!slot)
		return SHK_PARSED;
	/* Completed in place: of memory there the verifier assumes nothing, which keeps the loop cheap. */
	__builtin_memcpy(slot, &ev, sizeof(*slot));
	shk_parse_options(slot, &p, &l4, options_len);
	shk_describe_packet(slot, ctx, packet);
	if (path) {
		slot->kind = SHK_EV_PATH;
		slot->ifindex = 0;
		path->hash = hash;
		path->dir = t.dir;
		shk_path_release(path, shk_path_owner(packet));
	} else {
		shk_rings_submit(acc, slot, 1);
	}
	return SHK_PARSED;
}

SEC("netfilter")
int shk_wire(struct bpf_nf_ctx *ctx)
{
	struct shk_bpf_account *acc = shk_account();

	if (!acc)
		return SHK_NF_ACCEPT;
	switch (shk_observe(ctx, acc)) {
	case SHK_BAD:
		shk_count(acc->unparsed, 1);
		break;
	case SHK_FRAGMENT:
		shk_count(acc->fragments, 1);
		break;
	case SHK_PARSED:
	case SHK_NOT_TCP:
		break;
	}
	return SHK_NF_ACCEPT;
}

char shk_license[] SEC("license") = "GPL";
