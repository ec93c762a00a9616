#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The scenarios, seen by the module: the same expectations as natively.
. tests/vm/tap.sh

modprobe tun
load_module
# Few at a time: a reply that is late is one more retransmission.
tests/scenarios/run --source kmod --jobs 4
