#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# The rules of style that a machine can check and no other check does: what checkpatch says of a kernel file,
# as far as this project follows it.
#
#	tests/checks/style.pl FILE.[ch]...
use strict;
use warnings;
use open qw(:std :encoding(UTF-8));
use Text::Tabs;

my @rules = (
	['longer than 110 columns',		sub { length(expand($_)) > 110 }],
	['blank at the end of the line',	sub { /[ \t]$/ }],
	['blank before a tab',			sub { / \t/ }],
	['comment of C++',			sub { m{^\s*//} && $. > 1 }],
	['no space after the keyword',		sub { /^\s*(\} )?(if|for|while|switch|else if)\(/ }],
	['typedef of a struct',			sub { /^typedef (struct|union|enum) .*[^)];/ }],
	['brace of a function belongs on a line of its own',
						sub { /^(static |inline )*[a-z_]+ .*[a-z_]+\(.*\) \{$/ && !/[=#]/ }],
);
my $bad = 0;

sub complain {
	print "$ARGV:$.: @_\n";
	$bad = 1;
}

while (<>) {
	complain('newline missing at the end of the file') unless chomp;
	complain('no SPDX line') if $. == 1 && !/SPDX-License-Identifier: GPL-2\.0/;
	for my $rule (@rules) {
		complain($rule->[0]) if $rule->[1]->();
	}
	if (eof) {
		complain('empty line at the end of the file') if $_ eq '';
		close ARGV;
	}
}
exit $bad;
