#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Connections over loopback for an audit of ISNs.

    traffic.py WHAT COUNT [OCTETS]

    tuples      COUNT connections from ports 20000 and up, each from its own
    cookies     likewise, from ports 30000 and up
    again       COUNT connections of one tuple; an RST ends each, so that no TIME-WAIT is in the way
    passive     likewise, each after the first out of the server's TIME-WAIT
    active      likewise, out of the client's TIME-WAIT

OCTETS go from the client to the server, 100 by default, and 100 come back.
"""
import socket
import struct
import sys

HOST, LISTEN_PORT = "127.0.0.1", 8080
# A tuple in TIME-WAIT after one end's close is not free for the other way round.
PORTS = {"tuples": 20000, "cookies": 30000, "again": 15555, "passive": 15556, "active": 15557}
REPLY = b"y" * 100


def read_all(sock, octets):
    while octets:
        data = sock.recv(min(octets, 1 << 20))
        if not data:
            raise EOFError("the other end closed early")
        octets -= len(data)


def exchange(client, server, octets):
    """In pieces, since both ends are this thread."""
    piece = b"x" * min(octets, 100000)
    while octets:
        octets -= client.send(piece[:octets])
        server.setblocking(False)
        try:
            while server.recv(1 << 20):
                pass
        except BlockingIOError:
            pass
        server.setblocking(True)
    server.sendall(REPLY)
    read_all(client, len(REPLY))


def connect(listener, port):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.bind((HOST, port))
    client.connect((HOST, LISTEN_PORT))
    return client, listener.accept()[0]


def reset(client, server):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    server.close()


def close_in_turn(first, second):
    """Who closes first keeps the TIME-WAIT, when all four segments were exchanged."""
    first.shutdown(socket.SHUT_WR)
    if second.recv(1):
        raise EOFError("data after the end")
    second.close()
    if first.recv(1):
        raise EOFError("data after the end")
    first.close()


def main():
    what, count = sys.argv[1], int(sys.argv[2])
    octets = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, LISTEN_PORT))
    listener.listen(128)
    port = PORTS[what]
    for i in range(count):
        client, server = connect(listener, port + i if what in ("tuples", "cookies") else port)
        if what == "again" and octets > 100:
            exchange(client, server, octets if i == 0 else 100)
        else:
            exchange(client, server, octets)
        if what == "passive":
            close_in_turn(server, client)
        elif what == "active":
            close_in_turn(client, server)
        else:
            reset(client, server)


main()
