#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Reads every capture of the corpus with the tool and compares what it says of each TCP stream with
# oracle.tsv, column by column. As TAP: a test for each column, and every difference as a comment.
#
#	SHK_CORPUS	the corpus, ../shared/corpus if not set: oracle.tsv and the captures it names
#	TCPSHAKE	the tool, build/tcpshake if not set
#
# Only the classes' names differ: class_of_open() and class_of_close() say which of the oracle's our record
# stands for. Where a record does not tell them apart, that is a pattern of several.
use strict;
use warnings;
use JSON::PP;

my $corpus = $ENV{SHK_CORPUS} // '../shared/corpus';
my $tool = $ENV{TCPSHAKE} // 'build/tcpshake';

# What share agrees today and must not fall below, in percent. The aim is 100 for the first two and 99 for the
# others; whoever comes closer raises the number here.
my @columns = (
	[stream => 99.86, 'a record for each stream'],
	[isn => 100, 'ISN pair'],
	[syn => 100, 'SYN'], [synack => 100, 'SYN+ACK'], [fin => 100, 'FIN'], [rst => 99.9, 'RST'],
	[completeness => 99.1, 'completeness'],
	[handshake => 100, 'handshake class'],
	[close => 100, 'close class'],
	[state => 99.9, "Zeek's conn_state, as it follows from the classes"],
	[history => 99.9, "letters of Zeek's history, as they follow from the counts"],
);
my $spare_today = 7;

if (!-e "$corpus/oracle.tsv") {
	print "1..0 # SKIP NO CAPTURES COMPARED: $corpus/oracle.tsv is not there; SHK_CORPUS may name another place\n";
	exit 0;
}

sub read_oracle {
	my %streams;
	open my $in, '<', "$corpus/oracle.tsv" or die "$corpus/oracle.tsv: $!\n";
	chomp(my $head = <$in>);
	my @names = split /\t/, $head;
	while (<$in>) {
		chomp;
		my %row;
		@row{@names} = split /\t/, $_, -1;
		push @{$streams{$row{file}}}, \%row;
	}
	return \%streams;
}

# The records of connections, ISNs as strings.
sub read_capture {
	my ($file) = @_;
	my @records;
	my $pid = open my $json, '-|';
	die "fork: $!\n" unless defined $pid;
	if (!$pid) {
		open STDERR, '>', '/dev/null';
		exec $tool, 'read', '--json', '--', "$corpus/$file" or exit 127;
	}
	while (<$json>) {
		my $record = decode_json($_);
		push @records, $record if $record->{type} eq 'connection';
	}
	close $json;
	# 4: the file is damaged, and what could be read is there
	die "$tool $file: ended with status $?\n" if $? && $? != 4 << 8;
	return \@records;
}

sub end_of {
	my ($ip, $port) = @_;
	return "$ip $port";
}

# Both ends in one order.
sub key_of {
	return join ' ', sort @_;
}

sub isn_of {
	return $_[0]{isn} // '';
}

sub class_of_open {
	my ($r) = @_;
	my ($client, $server, $verdict) = ($r->{client}, $r->{server}, $r->{open}{verdict});
	my $opened = $verdict =~ /^O_(3WHS|COOKIE|DEFER_ACCEPT|TFO_|TW_)/;

	return 'midstream' if $verdict eq 'O_PREEXISTING';
	return 'self-connect' if $verdict eq 'O_SELF';
	return 'simopen-or-split(\+synack)?' if $verdict eq 'O_SIMULTANEOUS';
	return 'synack-only\(no syn seen\)' if !$client->{syn} && $server->{synack};
	return 'syn\+rst\(refused\)' if $verdict eq 'O_REFUSED';
	return 'syn\+synack\+rst' if $verdict eq 'O_EMBRYO_RST';
	return '3way(-late-ack|-reordered)?' if $opened && $server->{synack};
	return 'syn\+other\(no synack seen\)' if $opened;
	return 'syn\+synack' if $server->{synack};
	return $r->{compat}{completeness} & ~9 ? 'syn\+other\(no synack seen\)' : 'syn-only';
}

sub class_of_close {
	my ($r) = @_;
	my $fins = grep { $r->{$_}{fin} } qw(client server);
	my $rst = $r->{client}{rst} + $r->{server}{rst};
	my %of = (C_4SEG => 'fin4', C_3SEG => 'fin3', C_SIMULTANEOUS => 'simclose');
	my $unacked = grep { !$r->{$_}{fin_acked} } qw(client server);

	return $rst ? 'rst' : 'open' if !$fins;
	return ($fins == 1 ? 'halfclose-only' : $of{$r->{close}{fins} // ''} . ($unacked ? '-unacked' : '')) .
		($rst ? '\+rst' : '');
}

# What Zeek's definition says of a row's classes: a pattern, where the order of its segments decides.
sub state_of_row {
	my ($row) = @_;
	my ($handshake, $close) = @$row{qw(handshake close)};
	my $by_client = $row->{n_rst_c} && !$row->{n_rst_s};
	# REJ: also if an RST came before the SYN+ACK, or from both ends and no data
	my $reset = $by_client ? 'RSTO' : $row->{n_rst_c} ? 'RSTO|RSTR|REJ' : 'RSTR|REJ';
	my $established = $handshake =~ /^(3way|syn\+synack|self|simopen)/;

	return 'REJ' if $handshake =~ /refused/;
	return $close =~ /^fin|^sim/ ? "SF|$reset" : 'S[0123]|SHR?|OTH|REJ|RST.*' unless $established;
	return 'S1' if $close eq 'open';
	return $reset if $close eq 'rst';
	return $row->{n_fin_c} ? 'S2' : 'S3' if $close eq 'halfclose-only';
	return $close =~ /rst/ ? "SF|$reset" : 'SF';
}

# The letters that a row's counts put into a history, but for A and D, which are not counted.
sub letters_of_row {
	my ($row) = @_;
	my %count = (S => 'n_syn_c', s => 'n_syn_s', H => 'n_synack_c', h => 'n_synack_s',
		F => 'n_fin_c', f => 'n_fin_s', R => 'n_rst_c', r => 'n_rst_s');

	return join '', grep { $row->{$count{$_}} } sort keys %count;
}

sub letters_of_history {
	my %seen = map { $_ => 1 } $_[0] =~ /[SHFR]/gi;
	return join '', sort keys %seen;
}

sub compare_zeek {
	my ($row, $r) = @_;
	my ($state, $letters) = (state_of_row($row), letters_of_row($row));
	my $got = $r ? letters_of_history($r->{compat}{history}) : 'none';

	# Zeek gives a SYN+ACK no letter of its own after a SYN of the same number, and odd segments one of theirs.
	return if $r && $r->{compat}{history} =~ /[IQ]/i;
	$letters =~ s/H// if $letters =~ /S/;
	$letters =~ s/h// if $letters =~ /s/;
	compare('state', $row, $state, $r->{compat}{conn_state}, $r->{compat}{conn_state} =~ /^(?:$state)$/) if $r;
	compare('history', $row, $letters, $got, $letters eq $got) if $r;
}

# The record of an oracle's row: same ends and client ISN; without an ISN, the same ends in any order.
sub take_record {
	my ($records, $row) = @_;
	my $key = key_of(end_of(@$row{qw(cli_ip cli_port)}), end_of(@$row{qw(srv_ip srv_port)}));
	my $same_ends = $records->{$key} // [];
	my ($at) = grep { isn_of($same_ends->[$_]{client}) eq $row->{isn_cli} } 0 .. $#$same_ends;

	($at) = grep { $row->{isn_cli} eq '' || isn_of($same_ends->[$_]{client}) eq '' } 0 .. $#$same_ends
		unless defined $at;
	return defined $at ? splice(@$same_ends, $at, 1) : undef;
}

# Who is the client of a connection whose opening was not seen is the oracle's to say.
sub turn {
	my ($record, $row) = @_;
	my $client = end_of(@{$record->{client}}{qw(ip port)});

	return if $client eq end_of(@$row{qw(cli_ip cli_port)});
	@$record{qw(client server)} = @$record{qw(server client)};
}

my (%agree, %all, @differences, @spare);

sub compare {
	my ($column, $row, $want, $got, $same) = @_;
	$all{$column}++;
	if ($same) {
		$agree{$column}++;
	} else {
		push @differences, sprintf '%-9s %s stream %s: oracle %s, here %s', $column, $row->{file},
			$row->{stream}, $want, $got;
	}
}

sub compare_counts {
	my ($row, $r) = @_;
	for my $what (qw(syn synack fin rst)) {
		my $want = join '/', @$row{"n_${what}_c", "n_${what}_s"};
		my $got = $r ? join '/', map { $r->{$_}{$what} } qw(client server) : '0/0';
		compare($what, $row, $want, $got, $want eq $got);
	}
}

sub compare_stream {
	my ($row, $r) = @_;
	compare('stream', $row, "$row->{handshake}, $row->{close}", 'none', $r);
	turn($r, $row) if $r;
	compare_counts($row, $r);
	my $want = "$row->{isn_cli}/$row->{isn_srv}";
	my $got = $r ? isn_of($r->{client}) . '/' . isn_of($r->{server}) : '/';
	compare('isn', $row, $want, $got, $want eq $got);
	compare_zeek($row, $r);
	my $completeness = $r ? $r->{compat}{completeness} : 'none';
	compare('completeness', $row, $row->{completeness}, $completeness, $row->{completeness} eq $completeness);
	my $open = $r ? class_of_open($r) : 'midstream';
	compare('handshake', $row, $row->{handshake}, $open, $row->{handshake} =~ /^(?:$open)$/ ? 1 : 0);
	my $close = $r ? class_of_close($r) : 'open';
	compare('close', $row, $row->{close}, $close, $row->{close} eq $close =~ s/\\//r);
}

sub compare_file {
	my ($file, $rows) = @_;
	my %records;

	for my $r (@{read_capture($file)}) {
		my $key = key_of(end_of(@{$r->{client}}{qw(ip port)}), end_of(@{$r->{server}}{qw(ip port)}));
		push @{$records{$key}}, $r;
	}
	compare_stream($_, take_record(\%records, $_)) for @$rows;
	for my $r (map { @$_ } values %records) {
		push @spare, sprintf 'no stream  %s: %s, ISN %s, %s', $file, key_of(
			end_of(@{$r->{client}}{qw(ip port)}), end_of(@{$r->{server}}{qw(ip port)})),
			isn_of($r->{client}), $r->{open}{verdict};
	}
}

my $streams = read_oracle();
compare_file($_, $streams->{$_}) for sort keys %$streams;

print "# $_\n" for sort(@differences), sort(@spare);
my $n = 0;
for (@columns) {
	my ($column, $needed, $words) = @$_;
	my ($agree, $all) = ($agree{$column} // 0, $all{$column} // 0);
	my $share = $all ? 100 * $agree / $all : 0;
	$n++;
	printf "%s %d - %s: %d of %d agree, %.2f %% (at least %.2f)\n", $share >= $needed ? 'ok' : 'not ok', $n, $words,
		$agree, $all, $share, $needed;
}
$n++;
printf "%s %d - records without a stream: %d, at most %d\n", @spare > $spare_today ? 'not ok' : 'ok', $n, scalar @spare,
	$spare_today;
print "1..$n\n";
