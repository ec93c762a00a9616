// SPDX-License-Identifier: GPL-2.0
#include "demo/hosts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define NETWORK       0xc0000200U /* 192.0.2.0/24: for documentation, nobody's (RFC 5737) */
#define PREFIX_LEN    24
#define REQUEST_SIZE  1024
#define CARRIER_TRIES 2000 /* of a millisecond */

static int failed(struct shk_error *err, const char *what)
{
	return shk_error_set(err, -errno, "%s: %s", what, strerror(errno));
}

uint32_t shk_hosts_address(enum shk_side host)
{
	return htonl(NETWORK + 1 + host);
}

/*
 * ---- Namespaces ----------------------------------------------------------------------------------
 */

static int new_namespace(struct shk_error *err)
{
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		return errno == EPERM
			       ? shk_error_set(err, -EPERM, "network namespaces take root; run it with sudo")
			       : failed(err, "a network namespace");
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? failed(err, "/proc/self/ns/net") : fd;
}

int shk_hosts_enter(const struct shk_hosts *hosts, enum shk_side host, struct shk_error *err)
{
	return setns(hosts->ns[host], CLONE_NEWNET) < 0 ? failed(err, "setns") : 0;
}

void shk_hosts_down(struct shk_hosts *hosts)
{
	struct shk_error err;

	for (int host = SHK_CLIENT; host <= SHK_SERVER; host++) {
		if (hosts->ns[host] >= 0)
			close(hosts->ns[host]);
		hosts->ns[host] = -1;
	}
	if (hosts->home < 0)
		return;
	if (setns(hosts->home, CLONE_NEWNET) < 0)
		failed(&err, "setns");
	close(hosts->home);
	hosts->home = -1;
}

/*
 * ---- The cable -----------------------------------------------------------------------------------
 */

/* Sends a request and waits for its acknowledgment. */
static int request(struct nlmsghdr *message, const char *what, struct shk_error *err)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	char answer[MNL_SOCKET_BUFFER_SIZE];
	ssize_t size;
	int rc = -1;

	if (!nl)
		return failed(err, "netlink");
	message->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	message->nlmsg_seq = 1;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    mnl_socket_sendto(nl, message, message->nlmsg_len) >= 0) {
		size = mnl_socket_recvfrom(nl, answer, sizeof(answer));
		if (size >= 0)
			rc = mnl_cb_run(answer, size, message->nlmsg_seq, mnl_socket_get_portid(nl), NULL,
					NULL);
	}
	if (rc < 0)
		rc = failed(err, what);
	mnl_socket_close(nl);
	return rc;
}

/* One end here, on the client, the other where @server is. */
static int make_cable(int server, struct shk_error *err)
{
	char buf[REQUEST_SIZE];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct nlattr *link, *data, *peer;

	message->nlmsg_type = RTM_NEWLINK;
	message->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(message, IFLA_IFNAME, SHK_HOSTS_DEVICE);
	link = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(message, IFLA_IFNAME, SHK_HOSTS_DEVICE);
	mnl_attr_put_u32(message, IFLA_NET_NS_FD, server);
	mnl_attr_nest_end(message, peer);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, link);
	return request(message, "a pair of veth devices", err);
}

static int add_address(int ifindex, uint32_t address, struct shk_error *err)
{
	char buf[REQUEST_SIZE];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *header;

	message->nlmsg_type = RTM_NEWADDR;
	message->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->ifa_family = AF_INET;
	header->ifa_prefixlen = PREFIX_LEN;
	header->ifa_index = ifindex;
	mnl_attr_put_u32(message, IFA_LOCAL, address);
	mnl_attr_put_u32(message, IFA_ADDRESS, address);
	return request(message, "an address for the veth device", err);
}

/*
 * Up, and without checksum offload: segments then have their checksum on the cable too, where they are
 * recorded, and can be sent a second time as they were.
 */
static int bring_up(struct shk_error *err)
{
	struct ethtool_value plain = {.cmd = ETHTOOL_STXCSUM, .data = 0};
	struct ifreq device = {.ifr_name = SHK_HOSTS_DEVICE};
	int fd, rc = 0;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return failed(err, "socket");
	device.ifr_data = (char *)&plain;
	if (ioctl(fd, SIOCETHTOOL, &device) < 0)
		rc = failed(err, "turning off checksum offload");
	device.ifr_flags = IFF_UP;
	if (!rc && ioctl(fd, SIOCSIFFLAGS, &device) < 0)
		rc = failed(err, "bringing the veth device up");
	close(fd);
	return rc;
}

/* Until the kernel has noticed the other end. */
static int wait_for_carrier(struct shk_error *err)
{
	struct ifreq device = {.ifr_name = SHK_HOSTS_DEVICE};
	int fd, rc = -1;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return failed(err, "socket");
	errno = ETIMEDOUT;
	for (int i = 0; i < CARRIER_TRIES && rc < 0; i++) {
		if (ioctl(fd, SIOCGIFFLAGS, &device) == 0 && device.ifr_flags & IFF_RUNNING)
			rc = 0;
		else
			poll(NULL, 0, 1);
	}
	if (rc < 0)
		rc = failed(err, "waiting for the veth device");
	close(fd);
	return rc;
}

static int set_up_host(struct shk_hosts *hosts, enum shk_side host, struct shk_error *err)
{
	int rc;

	rc = shk_hosts_enter(hosts, host, err);
	if (rc)
		return rc;
	hosts->ifindex[host] = if_nametoindex(SHK_HOSTS_DEVICE);
	if (!hosts->ifindex[host])
		return failed(err, SHK_HOSTS_DEVICE);
	rc = add_address(hosts->ifindex[host], shk_hosts_address(host), err);
	return rc ? rc : bring_up(err);
}

int shk_hosts_up(struct shk_hosts *hosts, struct shk_error *err)
{
	int rc = 0;

	*hosts = (struct shk_hosts){.home = -1, .ns = {-1, -1}};
	hosts->home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (hosts->home < 0)
		return failed(err, "/proc/self/ns/net");
	for (int host = SHK_SERVER; host >= SHK_CLIENT && !rc; host--) {
		hosts->ns[host] = new_namespace(err);
		if (hosts->ns[host] < 0)
			rc = hosts->ns[host];
	}
	rc = rc ?: make_cable(hosts->ns[SHK_SERVER], err);
	rc = rc ?: set_up_host(hosts, SHK_CLIENT, err);
	rc = rc ?: set_up_host(hosts, SHK_SERVER, err);
	rc = rc ?: wait_for_carrier(err);
	rc = rc ?: shk_hosts_enter(hosts, SHK_CLIENT, err);
	return rc ?: wait_for_carrier(err);
}

/*
 * ---- Switches and counters -----------------------------------------------------------------------
 */

int shk_hosts_sysctl(const struct shk_hosts *hosts, const char *name, int value, struct shk_error *err)
{
	char path[96];
	FILE *f;
	int rc;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	for (int host = SHK_CLIENT; host <= SHK_SERVER; host++) {
		rc = shk_hosts_enter(hosts, host, err);
		if (rc)
			return rc;
		f = fopen(path, "we");
		if (!f)
			return failed(err, path);
		fprintf(f, "%d\n", value);
		if (fclose(f))
			return failed(err, path);
	}
	return 0;
}

/* The file has pairs of lines: names, then values, each after "TcpExt:". */
static bool find_counter(FILE *f, const char *name, uint64_t *value)
{
	char names[16384], values[16384], *next_name, *next_value, *n, *v;

	while (fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		n = strtok_r(names, " \n", &next_name);
		v = strtok_r(values, " \n", &next_value);
		while (n && v) {
			if (!strcmp(n, name)) {
				*value = strtoull(v, NULL, 10);
				return true;
			}
			n = strtok_r(NULL, " \n", &next_name);
			v = strtok_r(NULL, " \n", &next_value);
		}
	}
	return false;
}

int shk_hosts_counter(const struct shk_hosts *hosts, enum shk_side host, const char *name, uint64_t *value,
		      struct shk_error *err)
{
	bool found;
	FILE *f;
	int rc;

	rc = shk_hosts_enter(hosts, host, err);
	if (rc)
		return rc;
	f = fopen("/proc/self/net/netstat", "re");
	if (!f)
		return failed(err, "/proc/self/net/netstat");
	found = find_counter(f, name, value);
	fclose(f);
	return found ? 0 : shk_error_set(err, -ENOENT, "this kernel does not count %s", name);
}
