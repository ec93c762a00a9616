#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Makes a big capture out of small ones: their packets again and again, each round later and between other
# addresses, so that every round opens and closes connections of its own.
#
#	tests/bench/big_capture.pl OUT MEGABYTES CAPTURE...
#
# Takes classic pcap in little-endian microseconds with Ethernet and, of these, packets of IPv4 without options
# or fragments; the rest is left out. Checksums become wrong, which no reader of captures minds.
use strict;
use warnings;

my ($out, $megabytes, @files) = @ARGV;
die "usage: $0 OUT MEGABYTES CAPTURE...\n" unless @files && $megabytes =~ /^\d+$/;

# [time in microseconds since the first of its file, record without time] of one round
my @packets;
my $span = 0;

sub read_packets {
	my ($file) = @_;
	my ($at, $first) = (24);
	open my $in, '<:raw', $file or die "$file: $!\n";
	local $/;
	my $octets = <$in>;
	return if length $octets < 24 || unpack('V', $octets) != 0xa1b2c3d4 || unpack('V', substr $octets, 20, 4) != 1;
	while ($at + 16 <= length $octets) {
		my ($seconds, $micros, $have, $len) = unpack 'V4', substr $octets, $at, 16;
		my $packet = substr $octets, $at + 16, $have;
		$at += 16 + $have;
		next if $have < 54 || substr($packet, 12, 3) ne "\x08\x00\x45" || substr($packet, 23, 1) ne "\x06";
		my $time = $seconds * 1000000 + $micros;
		$first //= $time;
		# a capture of hours would make a round of hours, and its connections all of them live at once
		next if $time < $first || $time - $first > 60000000;
		$span = $time - $first if $time - $first > $span;
		push @packets, [$time - $first, pack('V2', $have, $len) . $packet];
	}
}

read_packets($_) for @files;
die "no packets to repeat\n" unless @packets;
@packets = sort { $a->[0] <=> $b->[0] } @packets;

open my $file, '>:raw', $out or die "$out: $!\n";
print $file pack 'V v2 V4', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1;
my ($written, $count, $rounds) = (24, 0, 0);
while ($written < $megabytes * 1000000) {
	my $start = 1700000000 * 1000000 + $rounds * ($span + 1000000);
	for my $p (@packets) {
		my $record = $p->[1];
		my $time = $start + $p->[0];
		# both addresses move by the same, so that a connection stays one: 8 octets of lengths, 26 to the source
		for my $where (34, 38) {
			my $address = unpack 'N', substr $record, $where, 4;
			substr $record, $where, 4, pack('N', ($address + $rounds * 65537) & 0xffffffff);
		}
		print $file pack('V2', $time / 1000000, $time % 1000000), $record;
		$written += 8 + length $record;
		$count++;
	}
	$rounds++;
}
close $file or die "$out: $!\n";
print "$count packets, $rounds rounds, $written octets\n";
