// SPDX-License-Identifier: GPL-2.0
/*
 * Network namespaces come and go, each with a connection of its own:
 *
 *	netns_storm NUMBER
 *
 * Prints how many there were; exits with 0 only if that is all. The kernel takes longer to destroy one than
 * to create it: user.max_net_namespaces says how many there may be, and the next waits for one to be gone.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up = fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &request);

	close(fd);
	return up;
}

/* Opened, accepted, and closed by both ends. */
static bool connection(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), server = -1;

	if (!bind(listener, (struct sockaddr *)&addr, len) && !listen(listener, 1) &&
	    !getsockname(listener, (struct sockaddr *)&addr, &len) &&
	    !connect(client, (struct sockaddr *)&addr, len))
		server = accept(listener, NULL, NULL);
	close(listener);
	close(client);
	close(server);
	return server >= 0;
}

int main(int argc, char **argv)
{
	int number = argc == 2 ? atoi(argv[1]) : 0, done;

	if (number <= 0)
		errx(2, "usage: netns_storm NUMBER, above 0");
	for (done = 0; done < number; done++) {
		/* The one before goes as soon as nobody is in it. */
		while (unshare(CLONE_NEWNET)) {
			if (errno != ENOSPC)
				err(2, "unshare() after %d namespaces", done);
			usleep(1000);
		}
		if (!loopback_up() || !connection())
			err(2, "no connection in namespace %d", done);
	}
	printf("%d\n", done);
	return 0;
}
