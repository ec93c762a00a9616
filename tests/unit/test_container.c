// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "container.h"

#define ID    "3f4a1c0e9b8d7261504f3e2d1c0b9a8877665544332211009f8e7d6c5b4a3928"
#define OTHER "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define POD   "pod1f0e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
#define SLICE "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-" POD ".slice"
#define USER  "/user.slice/user-1000.slice/user@1000.service/user.slice"

struct expectation {
	const char *path;
	const char *container;
};

static void expect(const struct expectation *e, size_t n)
{
	char id[SHK_CONTAINER_SIZE];

	for (size_t i = 0; i < n; i++) {
		print_message("%s\n", e[i].path);
		assert_int_equal(shk_container_of(e[i].path, id), e[i].container[0] != '\0');
		assert_string_equal(id, e[i].container);
	}
}

static void test_runtimes(void **state)
{
	/* clang-format off */
	static const struct expectation table[] = {
		/* docker, without and with systemd */
		{ "/docker/" ID, ID },
		{ "/system.slice/docker-" ID ".scope", ID },
		{ "/my.slice/docker-" ID ".scope/init.scope", ID },
		/* podman: of root, of a user, split, and in a pod */
		{ "/libpod_parent/libpod-" ID, ID },
		{ "/machine.slice/libpod-" ID ".scope/container", ID },
		{ USER "/libpod-" ID ".scope/container", ID },
		{ "/system.slice/web.service/libpod-payload-" ID, ID },
		{ "/machine.slice/machine-libpod_pod_" OTHER ".slice/libpod-" ID ".scope", ID },
		{ "/libpod_parent/" OTHER "/libpod-" ID, ID },
		/* CRI-O */
		{ SLICE "/crio-" ID ".scope", ID },
		{ "/kubepods/besteffort/" POD "/crio-" ID, ID },
		/* containerd: under kubernetes, under nerdctl, and told of a systemd it does not use */
		{ "/kubepods.slice/kubepods-" POD ".slice/cri-containerd-" ID ".scope", ID },
		{ "/kubepods/burstable/" POD "/" ID, ID },
		{ "/kubepods/" POD "/" ID, ID },
		{ "/system.slice/containerd.service/kubepods-" POD ".slice:cri-containerd:" ID, ID },
		{ "/system.slice/nerdctl-" ID ".scope", ID },
		/* a container in a container is where the process lives */
		{ "/docker/" OTHER "/kubelet/kubepods/besteffort/" POD "/" ID, ID },
		{ "/docker/" OTHER "/docker/" ID "/", ID },
	};
	/* clang-format on */

	(void)state;
	expect(table, sizeof(table) / sizeof(table[0]));
}

static void test_machines(void **state)
{
	static const struct expectation table[] = {
		{"/machine.slice/systemd-nspawn@bookworm.service/payload", "bookworm"},
		{"/machine.slice/systemd-nspawn@build\\x2dhost.service", "build-host"},
		{"/machine.slice/machine-build\\x2dhost.scope", "build-host"},
		{"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator", "qemu-1-vm"},
		{"/lxc.payload.db1/system.slice/postgresql.service", "db1"},
		/* no escape, though it begins like one */
		{"/machine.slice/machine-a\\x2.scope", "a\\x2"},
		{"/machine.slice/machine-a\\xzz.scope", "a\\xzz"},
	};

	(void)state;
	expect(table, sizeof(table) / sizeof(table[0]));
}

static void test_none(void **state)
{
	static const struct expectation table[] = {
		{"", ""},
		{"/", ""},
		{"/system.slice/nginx.service", ""},
		{"/user.slice/user-1000.slice/session-3.scope", ""},
		{"/system.slice/docker.service", ""},
		{"/kubepods.slice/kubepods-" POD ".slice", ""},
		/* The monitor of a container and the cgroup of a pod are none. */
		{"/machine.slice/libpod-conmon-" ID ".scope", ""},
		{"/kubepods.slice/crio-conmon-" ID ".scope", ""},
		{"/machine.slice/machine-libpod_pod_" ID ".slice", ""},
		/* A digit short, or one too many, or none of theirs */
		{"/docker/3f4a1c0e9b8d", ""},
		{"/docker/0" ID, ""},
		{"/docker/G" OTHER, ""},
		{"/system.slice/other-" ID ".scope", ""},
		{"/system.slice/docker-" ID ".mount", ""},
		{"/machine.slice/machine-.scope", ""},
		{"/machine.slice/systemd-nspawn@.service", ""},
		{"/lxc.payload.", ""},
	};

	(void)state;
	expect(table, sizeof(table) / sizeof(table[0]));
}

/* The name of a machine is shortened, never written behind its room. */
static void test_long_name(void **state)
{
	char path[512] = "/machine.slice/machine-", id[SHK_CONTAINER_SIZE];

	(void)state;
	memset(path + strlen(path), 'a', 300);
	strcat(path, ".scope");
	assert_true(shk_container_of(path, id));
	assert_int_equal(strlen(id), SHK_CONTAINER_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runtimes),
		cmocka_unit_test(test_machines),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_long_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
