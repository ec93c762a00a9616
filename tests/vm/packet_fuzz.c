// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile network: sends packets of packet_maker.h to this host, by a TUN device or from the far end of a
 * veth pair, and reads what it answers.
 *
 *	packet_fuzz -d DEVICE [-p NETNS] [-4 | -f] [-s SEED] [-n PACKETS]
 *
 * DEVICE is a TUN device made with vnet_hdr, or, in the network namespace with the path NETNS, the far end. A
 * child listens on port 7000 meanwhile and closes what it accepts. Large packets come in pages, with their
 * headers in them or not. With -f it is a flood of SYNs to that port instead. SIGTERM ends it early. Prints
 * how many were sent, and how many the device would not take.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../fuzz/packet_maker.h"

#define BATCH 64U /* packets, and then what was answered is read */

static struct {
	const char *device, *netns;
	uint64_t seed, packets;
	bool only_ipv4;
	bool is_flood;
} opt = {.seed = 1, .packets = 10000};

static struct {
	int fd;
	struct ether_header link; /* of the far end; a TUN device has none */
	size_t link_len;
	uint64_t sent, refused, answers;
} wire;

/*
 * ---- The listener ---------------------------------------------------------------------------------
 */

static int listen_at_port(void)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6, .sin6_port = htons(MAKER_PORT)};
	int fd = socket(AF_INET6, SOCK_STREAM, 0), one = 1, zero = 0;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)) ||
	    bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || listen(fd, 64))
		err(2, "listening on port %u", MAKER_PORT);
	return fd;
}

static pid_t start_listener(void)
{
	int listening = listen_at_port(), fd;
	pid_t child = fork();

	if (child < 0)
		err(2, "fork");
	while (child == 0) {
		fd = accept(listening, NULL, NULL);
		if (fd >= 0)
			close(fd);
	}
	close(listening);
	return child;
}

/*
 * ---- The wire -------------------------------------------------------------------------------------
 */

static void open_tun(void)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", opt.device);
	wire.fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	if (wire.fd < 0 || ioctl(wire.fd, TUNSETIFF, &request))
		err(2, "%s: it should be a TUN device with vnet_hdr", opt.device);
}

static void hardware_address(const char *device, uint8_t to[ETH_ALEN])
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	if (ioctl(wire.fd, SIOCGIFHWADDR, &request))
		err(2, "%s", device);
	memcpy(to, request.ifr_hwaddr.sa_data, ETH_ALEN);
}

/* The near end has the same name. */
static void open_far_end(void)
{
	struct sockaddr_ll sa = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int one = 1, netns;

	wire.fd = socket(AF_INET, SOCK_DGRAM, 0);
	hardware_address(opt.device, wire.link.ether_dhost);
	close(wire.fd);
	netns = open(opt.netns, O_RDONLY);
	if (netns < 0 || setns(netns, CLONE_NEWNET))
		err(2, "%s", opt.netns);
	wire.fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
	hardware_address(opt.device, wire.link.ether_shost);
	sa.sll_ifindex = if_nametoindex(opt.device);
	if (setsockopt(wire.fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) ||
	    setsockopt(wire.fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
	    bind(wire.fd, (struct sockaddr *)&sa, sizeof(sa)))
		err(2, "%s", opt.device);
	wire.link_len = sizeof(wire.link);
}

/*
 * What the driver of a virtual machine would say of a large packet: how much of it is linear, and that it is
 * to be cut or its checksum to be made.
 */
static struct virtio_net_hdr describe(struct chance *c, const struct made_packet *p)
{
	struct virtio_net_hdr h = {0};
	uint32_t at = wire.link_len + p->headers;

	if (p->len > 2000 || chance_one_in(c, 32))
		h.hdr_len = chance_below(c, 3) ? 1 + chance_below(c, at) : at;
	if (p->len > 2000 && p->len >= p->headers && chance_below(c, 4)) {
		h.gso_type = (p->octets[0] >> 4) == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
		h.gso_size = 500 + chance_below(c, 1000);
	}
	if (h.gso_type || chance_one_in(c, 64)) {
		h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h.csum_start = wire.link_len + ((p->octets[0] >> 4) == 4 ? (p->octets[0] & 15) * 4 : 40);
		h.csum_offset = 16;
	}
	if (chance_one_in(c, 256))
		h.flags = chance_below(c, 8), h.csum_start = chance_below(c, 9000);
	return h;
}

static void send_packet(struct chance *c, struct made_packet *p)
{
	struct virtio_net_hdr head = describe(c, p);
	struct iovec parts[] = {{&head, sizeof(head)}, {&wire.link, wire.link_len}, {p->octets, p->len}};

	wire.link.ether_type = htons((p->octets[0] >> 4) == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	while (writev(wire.fd, parts, 3) < 0) {
		if (errno != ENOBUFS && errno != EAGAIN) {
			wire.refused++;
			return;
		}
	}
	wire.sent++;
}

static void read_answers(struct packet_maker *m)
{
	static uint8_t octets[65536 + 64];
	size_t skipped = sizeof(struct virtio_net_hdr) + wire.link_len;
	ssize_t len;

	while ((len = read(wire.fd, octets, sizeof(octets))) > 0) {
		wire.answers++;
		if ((size_t)len > skipped)
			maker_learn(m, octets + skipped, len - skipped);
	}
	if (len < 0 && errno != EAGAIN)
		err(1, "reading from %s", opt.device);
}

static volatile sig_atomic_t is_over;

static void on_term(int number)
{
	(void)number;
	is_over = 1;
}

static void run(void)
{
	static struct packet_maker m;
	static struct made_packet p;
	uint64_t n;

	maker_init(&m, (struct chance){.rng = {opt.seed * 0x9e3779b97f4a7c15ULL | 1}}, opt.only_ipv4);
	for (n = 0; n < opt.packets && !is_over; n++) {
		if (opt.is_flood)
			maker_syn(&m, &p);
		else
			maker_make(&m, &p);
		send_packet(&m.chance, &p);
		if (n % BATCH == 0)
			read_answers(&m);
	}
	read_answers(&m);
}

int main(int argc, char **argv)
{
	pid_t listener;
	int c;

	while ((c = getopt(argc, argv, "d:p:4fs:n:")) != -1) {
		switch (c) {
		case 'd':
			opt.device = optarg;
			break;
		case 'p':
			opt.netns = optarg;
			break;
		case '4':
			opt.only_ipv4 = true;
			break;
		case 'f':
			opt.is_flood = true;
			break;
		case 's':
			opt.seed = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			opt.packets = strtoull(optarg, NULL, 10);
			break;
		default:
			opt.device = NULL;
		}
	}
	if (!opt.device)
		errx(2, "usage: packet_fuzz -d DEVICE [-p NETNS] [-4 | -f] [-s SEED] [-n PACKETS]");
	listener = start_listener();
	if (opt.netns)
		open_far_end();
	else
		open_tun();
	signal(SIGTERM, on_term);
	run();
	kill(listener, SIGKILL);
	waitpid(listener, NULL, 0);
	printf("seed %lu sent %lu refused %lu answers %lu\n", opt.seed, wire.sent, wire.refused,
	       wire.answers);
	return 0;
}
