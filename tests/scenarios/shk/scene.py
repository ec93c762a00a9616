# SPDX-License-Identifier: GPL-2.0
"""The stage of a scenario: a host in a network namespace of its own, and what can be done there.

	host                               peer
	10.71.N.1, fd71:N::1   --- tun0 ---  10.71.N.2, fd71:N::2       N is the scenario's number

The host is the kernel, with ordinary sockets. The peer is a raw one, see peer.py, unless the scenario makes a
second host. Connections of the host with itself go over lo, from and to 10.71.N.1.
"""
import concurrent.futures
import ctypes
import fcntl
import ipaddress
import os
import platform
import re
import shutil
import socket
import struct
import subprocess
import threading
import time

from .observer import Observer
from .peer import Peer, Wire, Wrong

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
TCP_STATES = ("?", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
              "LAST_ACK", "LISTEN", "CLOSING")
PATIENCE_SECONDS = 30

libc = ctypes.CDLL(None, use_errno=True)


class Skip(Exception):
    """This machine cannot play the scenario."""


def kernel_version():
    return tuple(map(int, re.findall(r"\d+", platform.release())[:2]))


def new_netns():
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")


def set_link(name, up):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = struct.pack("16sH22x", name.encode(), 0)
        flags = struct.unpack("16sH22x", fcntl.ioctl(s, SIOCGIFFLAGS, request))[1]
        flags = flags | IFF_UP if up else flags & ~IFF_UP
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH22x", name.encode(), flags))


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def read_counters():
    """The counters of this namespace, named as nstat names them."""
    counters = {}
    for path in ("snmp", "netstat"):
        with open(f"/proc/thread-self/net/{path}") as file:
            lines = [line.split() for line in file]
        for names, values in zip(lines[::2], lines[1::2]):
            prefix = names[0].rstrip(":")
            counters.update({prefix + name: int(value) for name, value in zip(names[1:], values[1:])})
    return counters


class Host:
    """What a scenario can do on a host. All of it happens in the namespace of the thread that does it."""

    def __init__(self, addr, addr6):
        self.addr, self.addr6 = addr, addr6
        self.sockets = []   # kept, so that nothing is closed that the scenario does not close

    def tcp(self, family=socket.AF_INET, protocol=0, blocking=True):
        sock = socket.socket(family, socket.SOCK_STREAM, protocol)
        sock.settimeout(PATIENCE_SECONDS if blocking else 0)
        self.sockets.append(sock)
        return sock

    def listen(self, port=7000, backlog=16, options=(), family=socket.AF_INET, protocol=0, addr=None):
        """A listening socket; options are triples for setsockopt()."""
        sock = self.tcp(family, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option in options:
            sock.setsockopt(*option)
        sock.bind((addr or ("::" if family == socket.AF_INET6 else "0.0.0.0"), port))
        sock.listen(backlog)
        return sock

    def accept(self, listener):
        sock, _ = listener.accept()
        sock.settimeout(PATIENCE_SECONDS)
        self.sockets.append(sock)
        return sock

    def connect(self, addr, port, bind=None, options=(), wait=True, protocol=0):
        """A connecting socket. Without wait it is still connecting, usually."""
        family = socket.AF_INET6 if ipaddress.ip_address(str(addr)).version == 6 else socket.AF_INET
        sock = self.tcp(family, protocol, blocking=wait)
        for option in options:
            sock.setsockopt(*option)
        if bind:
            sock.bind((str(self.addr), bind))
        try:
            sock.connect((str(addr), port))
        except BlockingIOError:
            pass
        return sock

    def abort(self, sock):
        """close() with SO_LINGER 0: an RST."""
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    def state(self, sock):
        return TCP_STATES[sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]]

    def error(self, sock):
        """The errno that the kernel has for the application, 0 if none."""
        return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def sockets_of(self, port):
        """The states of the kernel's sockets with this remote port, TIME-WAIT and requests included."""
        with open("/proc/thread-self/net/tcp") as file:
            words = [line.split() for line in file][1:]
        return [int(word[3], 16) for word in words if word[2].endswith(f":{port:04X}")]

    def sockets_from(self, port):
        """The same by local port; 10 is LISTEN."""
        with open("/proc/thread-self/net/tcp") as file:
            words = [line.split() for line in file][1:]
        return [int(word[3], 16) for word in words if word[1].endswith(f":{port:04X}")]

    def counter(self, name):
        return read_counters().get(name, 0)

    def sysctl(self, **values):
        """tcp_syncookies=2 sets net.ipv4.tcp_syncookies of this namespace."""
        for name, value in values.items():
            path = f"/proc/sys/net/{'core' if name == 'somaxconn' else 'ipv4'}/{name}"
            if not os.path.exists(path):
                raise Skip(f"this kernel has no {path}")
            with open(path, "w") as file:
                file.write(str(value))

    def run(self, *command, feed=None):
        """A program in this namespace; a scenario that needs one that is not there is skipped."""
        if not shutil.which(command[0]):
            raise Skip(f"{command[0]} is not installed; run make deps")
        done = subprocess.run(command, input=feed, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Wrong(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def nft(self, rules):
        self.run("nft", "-f", "-", feed=rules)

    def links_down(self):
        """From here on nothing passes a hook, whatever timers still want to send."""
        for _, name in socket.if_nameindex():
            if name not in ("sit0", "ip6tnl0", "gre0", "gretap0", "erspan0", "tunl0", "ip_vti0", "ip6_vti0", "ip6gre0"):
                set_link(name, False)


class Scene(Host):
    """What play() gets: the host, the peer's wire, and the means to wait."""

    def __init__(self, number, folder, source):
        super().__init__(ipaddress.ip_address(f"10.71.{number}.1"), ipaddress.ip_address(f"fd71:{number}::1"))
        self.number, self.folder, self.source = number, folder, source
        self.observer = None
        self.capture = None     # of this namespace, see witness.py
        self.kernel = kernel_version()
        self.wire = None
        self.other = None
        self.notes = {}     # what play() leaves for the expectations: see expect.noted()

    def use_tun(self):
        self.wire = Wire("tun0", self.addr, self.addr + 1)
        self.wire.host6, self.wire.peer6 = self.addr6, self.addr6 + 1
        self.ip(f"addr add {self.addr}/24 dev tun0", f"addr add {self.addr6}/64 dev tun0 nodad", "link set tun0 up")
        self.until_ipv6()

    def use_lo(self):
        self.ip(f"addr add {self.addr}/24 dev lo", f"addr add {self.addr6}/64 dev lo nodad")

    def use_veth(self):
        """A second host, 10.71.N.2, on the other end of a veth pair; its methods run in its own namespace."""
        self.other = OtherHost(self.addr + 1, self.addr6 + 1)
        self.ip(f"link add veth0 type veth peer name veth0 netns {self.other.thread}",
                f"addr add {self.addr}/24 dev veth0", f"addr add {self.addr6}/64 dev veth0 nodad",
                "link set veth0 up")
        self.other.do(self.other.prepare)

    def until_ipv6(self):
        """The kernel takes an IPv6 address into use later than the command that adds it returns."""
        local_route = f"{self.addr6.packed.hex()} 80 "
        self.until("the IPv6 address is in use", lambda: local_route in read("/proc/thread-self/net/ipv6_route"))

    def ip(self, *commands):
        self.run("ip", "-batch", "-", feed="\n".join(commands))

    def observe(self, *options):
        """For scenarios with ALONE: an observer of this namespace that begins now and ends with the scenario."""
        inode = os.stat("/proc/thread-self/ns/net").st_ino
        self.observer = Observer(self.folder, f"alone-{self.number}", "--json", "--source", self.source, "--netns",
                                 str(inode), *options)

    def netem(self, *words):
        """Delay, loss and reordering of what this host sends over veth0."""
        try:
            self.run("tc", "qdisc", "replace", "dev", "veth0", "root", "netem", *words)
        except Wrong as wrong:
            if "unknown" in str(wrong):
                raise Skip("this kernel has no netem") from wrong
            raise

    def peer(self, port=40000, to=None, **more):
        """A raw end at the peer: with to it will open a connection to that port of the host, else wait for one."""
        return Peer(self.wire, port, to, **more)

    def wait(self, seconds):
        """Time that belongs to the exchange: an application that takes its time, a timer that must run out."""
        time.sleep(seconds)

    def until(self, what, condition, within=PATIENCE_SECONDS):
        end = time.monotonic() + within
        while not condition():
            if time.monotonic() > end:
                raise Wrong(f"{what() if callable(what) else what}: not within {within} s")
            time.sleep(0.01)

    def until_state(self, sock, state):
        self.until(lambda: f"socket in {state}, is in {self.state(sock)}", lambda: self.state(sock) == state)


class OtherHost:
    """A Host whose methods run in a thread, and so in a network namespace, of its own."""

    def __init__(self, addr, addr6):
        self.executor = concurrent.futures.ThreadPoolExecutor(1)
        self.host = Host(addr, addr6)
        self.addr, self.addr6 = addr, addr6
        self.thread = self.do(self.enter)

    def enter(self):
        new_netns()
        set_link("lo", True)
        return f"/proc/{os.getpid()}/task/{threading.get_native_id()}/ns/net"

    def prepare(self):
        self.host.run("ip", "-batch", "-", feed=f"addr add {self.addr}/24 dev veth0\n"
                      f"addr add {self.addr6}/64 dev veth0 nodad\nlink set veth0 up\n")

    def do(self, function, *args, **kwargs):
        return self.executor.submit(function, *args, **kwargs).result()

    def __getattr__(self, name):
        method = getattr(self.host, name)
        return lambda *args, **kwargs: self.do(method, *args, **kwargs)
