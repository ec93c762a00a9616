#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Makes a big capture out of small ones: their packets again and again, each round later and between other
# addresses, so that every round opens and closes connections of its own.
#
#	tests/bench/big_capture.pl mixed|short OUT MEGABYTES CAPTURE...
#
# "mixed" has all packets, at the distances that they had. "short" has what handshakes are most of: connections
# of at most eight packets and half a second, from the SYN to both FINs, of which 2000 begin in a second.
#
# Takes classic pcap in little-endian microseconds with Ethernet and, of these, packets of IPv4 without options
# or fragments; the rest is left out. Checksums become wrong, which no reader of captures minds. The same
# captures make the same file, and fewer megabytes the beginning of it.
use strict;
use warnings;

my ($kind, $out, $megabytes, @files) = @ARGV;
die "usage: $0 mixed|short OUT MEGABYTES CAPTURE...\n"
	unless @files && $kind =~ /^(?:mixed|short)$/ && $megabytes =~ /^\d+$/;

use constant {
	SHORT_PACKETS => 8,
	SHORT_MICROS => 500000,
	APART_MICROS => 500,
	SHORT_COUNT => 50000,	# connections of a round
};

# Of one round: [time in microseconds since its beginning, record without time].
my @packets;
my $span = 0;
# So many times the addresses of one round differ: each copy of a connection has its own.
my $copies = 1;

# [time since the first of its file, record without time] of what can be used
sub read_packets {
	my ($file) = @_;
	my ($at, $first, @found) = (24);
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
		push @found, [$time - $first, pack('V2', $have, $len) . $packet];
	}
	return @found;
}

# The record, so many addresses on: 8 octets of lengths, 26 to the source. Both ends move by the same, so that
# a connection stays one.
sub moved {
	my ($record, $n) = @_;
	for my $where (34, 38) {
		my $address = unpack 'N', substr $record, $where, 4;
		substr $record, $where, 4, pack('N', ($address + $n * 65537) & 0xffffffff);
	}
	return $record;
}

sub flags { return unpack 'x55 C', $_[0][1] }

# The short connections among the packets of a file, each a list of packets whose time begins at 0.
sub short_connections {
	my (%of, @short);
	for my $p (@_) {
		my ($from, $to, $ports) = unpack 'x34 a4 a4 a4', $p->[1];
		my @ends = ($from . substr($ports, 0, 2), $to . substr $ports, 2, 2);
		push @{$of{join '', sort @ends}}, $p;
	}
	for my $key (sort keys %of) {
		my @all = @{$of{$key}};
		my %fin = map { substr($_->[1], 34, 4) => 1 } grep { flags($_) & 1 } @all;
		next if @all > SHORT_PACKETS || $all[-1][0] - $all[0][0] > SHORT_MICROS;
		next if (flags($all[0]) & 0x12) != 2 || keys %fin < 2;
		my $begin = $all[0][0];
		push @short, [map { [$_->[0] - $begin, $_->[1]] } @all];
	}
	return @short;
}

if ($kind eq 'mixed') {
	@packets = map { read_packets($_) } @files;
} else {
	my @short = map { short_connections(read_packets($_)) } @files;
	die "no short connections to repeat\n" unless @short;
	$copies = int(SHORT_COUNT / @short) + 1;
	for my $i (0 .. $copies * @short - 1) {
		my $copy = int($i / @short);
		push @packets, map { [$i * APART_MICROS + $_->[0], moved($_->[1], $copy)] } @{$short[$i % @short]};
	}
}
die "no packets to repeat\n" unless @packets;
@packets = sort { $a->[0] <=> $b->[0] } @packets;
$span = $packets[-1][0] + ($kind eq 'mixed' ? 1000000 : APART_MICROS);

open my $file, '>:raw', $out or die "$out: $!\n";
print $file pack 'V v2 V4', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1;
my ($written, $count, $rounds) = (24, 0, 0);
ROUND: for (;; $rounds++) {
	my $start = 1700000000 * 1000000 + $rounds * $span;
	for my $p (@packets) {
		last ROUND if $written >= $megabytes * 1000000;
		my $time = $start + $p->[0];
		my $record = pack('V2', $time / 1000000, $time % 1000000) . moved($p->[1], $rounds * $copies);
		print $file $record;
		$written += length $record;
		$count++;
	}
}
close $file or die "$out: $!\n";
print "$kind: $count packets, $written octets\n";
