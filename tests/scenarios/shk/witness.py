# SPDX-License-Identifier: GPL-2.0
"""The witnesses that are not ours: conntrack, the kernel's counters, and tshark on a capture of the same run."""
import ipaddress
import re
import select
import shutil
import socket
import struct
import subprocess
import threading
import time

ETH_P_ALL, PACKET_OUTGOING, LINKTYPE_RAW = 3, 4, 101
SNAP = 256

# Each is compared in every scenario that names counters: one that is not named must be 0. Not here, and so only
# where it is named: TcpExtSyncookiesFailed. Jiffies begin five minutes before they wrap; for the two minutes after
# that, tcp_synq_no_recent_overflow() takes the stamp 0 of a listener that never overflowed for a recent one, and an
# ACK that belongs to no request is tried as a cookie.
TELLING = """
TcpActiveOpens TcpPassiveOpens TcpAttemptFails TcpEstabResets TcpRetransSegs TcpOutRsts TcpInErrs
TcpExtSyncookiesSent TcpExtSyncookiesRecv TcpExtEmbryonicRsts TcpExtTW TcpExtTWRecycled
TcpExtTWKilled TcpExtPAWSEstab TcpExtListenOverflows TcpExtListenDrops TcpExtTCPAbortOnData TcpExtTCPAbortOnClose
TcpExtTCPAbortOnMemory TcpExtTCPAbortOnTimeout TcpExtTCPAbortOnLinger TcpExtTCPReqQFullDoCookies TcpExtTCPReqQFullDrop
TcpExtTCPDeferAcceptDrop TcpExtTCPChallengeACK TcpExtTCPSYNChallenge TcpExtTCPFastOpenPassive TcpExtTCPFastOpenActive
TcpExtTCPFastOpenCookieReqd TcpExtTCPTimeWaitOverflow
""".split()


class Capture(threading.Thread):
    """Every TCP packet of this namespace, with its time."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        self.packets = []
        self.ended = False
        self.start()

    def run(self):
        while True:
            if not select.select([self.socket], [], [], 0.2)[0]:
                if self.ended:
                    return
                continue
            data, (device, protocol, kind, *_) = self.socket.recvfrom(SNAP)
            # lo shows each packet twice, on its way out and on its way in.
            if protocol in (0x0800, 0x86DD) and not (device == "lo" and kind == PACKET_OUTGOING):
                self.packets.append((time.time_ns(), data))

    def stop(self):
        self.ended = True
        self.join()
        return self.packets


def write_pcap(path, packets):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, LINKTYPE_RAW))
        for when, data in packets:
            file.write(struct.pack("<IIII", when // 10**9, when % 10**9, len(data), ip_length(data)) + data)


def ip_length(packet):
    """What the header says: of a long packet only the beginning is kept."""
    return struct.unpack("!H", packet[2:4])[0] if packet[0] >> 4 == 4 else 40 + struct.unpack("!H", packet[4:6])[0]


def packet_payload(packet):
    """Octets of TCP payload in an IPv4 packet without options."""
    return ip_length(packet) - 20 - (packet[32] >> 4) * 4


def tshark_completeness(path):
    """tcp.completeness of each TCP stream, in their order, by scenario number; None without tshark."""
    if not shutil.which("tshark"):
        return None
    fields = [word for name in ("tcp.stream", "ip.src", "ipv6.src", "tcp.completeness") for word in ("-e", name)]
    out = subprocess.run(["tshark", "-n", "-2", "-r", path, "-Y", "tcp", "-T", "fields", "-E", "occurrence=f"] + fields,
                         capture_output=True, text=True, check=True).stdout
    streams = {}
    for line in out.splitlines():
        stream, src4, src6, completeness = line.split("\t")
        if stream and completeness:
            streams[int(stream)] = (scenario_of(src4 or src6), int(completeness))
    by_number = {}
    for stream in sorted(streams):
        number, completeness = streams[stream]
        by_number.setdefault(number, []).append(completeness)
    return by_number


def scenario_of(text):
    """Addresses are 10.71.N.x and fd71:N::x, N decimal in both."""
    addr = ipaddress.ip_address(text)
    if addr.version == 6 and addr.ipv4_mapped:
        addr = addr.ipv4_mapped
    return int(str(addr).split(".")[2]) if addr.version == 4 else int(addr.exploded.split(":")[1])


class Conntrack:
    """conntrack -E in this namespace, after a rule has switched connection tracking on."""

    NAMES = {"SYN_SENT": "SS", "SYN_SENT2": "S2", "SYN_RECV": "SR", "ESTABLISHED": "ES", "FIN_WAIT": "FW",
             "CLOSE_WAIT": "CW", "LAST_ACK": "LA", "TIME_WAIT": "TW", "CLOSE": "CL"}
    RULES = "table inet watch { chain in { type filter hook input priority 0; ct state new counter; }; }"

    def __init__(self, scene):
        self.inode = None
        scene.nft(self.RULES)
        self.process = subprocess.Popen(["conntrack", "-E", "-p", "tcp"], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        scene.until("conntrack listens", lambda: self.queued() is not None)

    def queued(self):
        """Octets that conntrack has not read yet; None before it listens."""
        with open("/proc/thread-self/net/netlink") as file:
            for line in file:
                words = line.split()
                if words[1] == "12" and int(words[2]) and words[3] not in ("00000000", "0"):
                    return int(words[4])
        return None

    def is_idle(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            return self.queued() == 0 and file.read().rpartition(")")[2].split()[0] == "S"

    def stop(self, scene):
        """States by the originator's port, in the order in which they were first seen; the destruction counts not."""
        scene.until("conntrack has told all", self.is_idle)
        self.process.terminate()
        ports = {}
        for line in self.process.communicate()[0].splitlines():
            match = re.search(r"\[(NEW|UPDATE)\].* ([A-Z_0-9]+) src=.*? sport=(\d+)", line)
            if match and match.group(2) in self.NAMES:
                ports.setdefault(match.group(3), []).append(self.NAMES[match.group(2)])
        return [" ".join(states) for states in ports.values()]
