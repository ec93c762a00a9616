# SPDX-License-Identifier: GPL-2.0
"""What a scenario file imports."""
import socket
import struct

from .expect import ABSENT, ANYTHING, between, has, ms, noted, one_of, since, through
from .scene import Skip
from .peer import Wrong
from .witness import packet_payload

__all__ = ["ABSENT", "ANYTHING", "Skip", "Wrong", "between", "has", "ms", "noted", "one_of", "packet_payload", "since",
           "socket", "struct", "through"]
