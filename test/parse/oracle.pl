#!/usr/bin/perl
#
# oracle.pl: compare the canonical local part with perl's own Unicode
#
#	test/parse/oracle.pl build/parse/email_test
#
# Every code point by itself, and random texts of those that compose, change
# their order or their case, are parsed by the program and worked out here
# from data/*.tsv and perl's normal form: two independent implementations of
# the same sentences of the design.  The random sequence is fixed.
#
use strict;
use warnings;
use FindBin qw($Bin);
use Unicode::Normalize qw(NFC NFD);
use Unicode::UCD;

my $program = shift // die "usage: $0 build/parse/email_test\n";
my $data = "$Bin/../../data";
my $random_texts = 15_000;

if (version->parse(Unicode::UCD::UnicodeVersion()) < version->parse('14.0'))
{
	print "oracle: skipped, this perl knows a Unicode older than 14\n";
	exit 0;
}

my (%lower, @unsafe, @unassigned);
for ([ 'unsafe_codepoints', \@unsafe ], [ 'unassigned_unicode14', \@unassigned ])
{
	my ($file, $set) = @$_;
	for my $row (rows("$file.tsv"))
	{
		$set->[$_] = 1 for hex($row->[0]) .. hex($row->[1]);
	}
}
for my $row (rows('simple_lowercase.tsv'))
{
	my ($first, $last, $step, $delta) = (hex $row->[0], hex $row->[1], @$row[ 2, 3 ]);
	for (my $c = $first; $c <= $last; $c += $step) { $lower{ chr $c } = chr($c + $delta); }
}

sub rows
{
	my ($file) = @_;
	open my $in, '<', "$data/$file" or die "$data/$file: $!\n";
	my @rows = map { s/U\+//gr } grep { !/^#/ } <$in>;
	chomp @rows;
	return map { [ split /\t/ ] } @rows;
}

# Does the text keep the rules of a local part?
sub is_local
{
	my ($text) = @_;
	return 0 if $text =~ /^\.|\.\.|\.\z/;
	return 0 if $text =~ /^[\x{200C}\x{200D}\x{0300}-\x{036F}]/;
	for my $c (map { ord } split //, $text)
	{
		if ($c < 0x80) { return 0 unless chr($c) =~ m{[a-zA-Z0-9.!#\$%&'*+\-/=?^_`\{|\}~]}; }
		else { return 0 if $unsafe[$c] || $unassigned[$c] || ($c & 0xFFFE) == 0xFFFE; }
	}
	return 1;
}

# Its canonical form, undef if it is refused.
sub canonical
{
	my ($text) = @_;
	return undef unless is_local($text);
	$text = NFC($text);
	$text =~ tr/A-Z/a-z/;
	$text =~ s/(.)/$lower{$1} \/\/ $1/ge;
	$text = NFC($text);
	my $octets = $text;
	utf8::encode($octets);
	return undef if !is_local($text) || length($octets) > 64;
	return $octets;
}

my @texts;
my (@special, @common);
for my $c (0x80 .. 0x2FFFF, 0xE0000 .. 0xE0FFF)
{
	next if $c >= 0xD800 && $c <= 0xDFFF;
	my $char = chr $c;
	push @texts, "a$char", $char if $c < 0x20000 || $c % 16 == 0;
	next if $unsafe[$c] || $unassigned[$c] || ($c & 0xFFFE) == 0xFFFE;
	push @special, $char
	  if exists $lower{$char} || NFD($char) ne $char || $char =~ /\p{M}/
	  || ($c >= 0x1100 && $c <= 0x11FF);
}
@common = (map { chr } 0x61 .. 0x6A, 0x41 .. 0x4A, 0x300 .. 0x310, 0x323, 0x327, 0x338,
	0x345, 0x11A7, 0x1100, 0x1161, 0x11A8, 0xAC00, 0x3B9, 0x3B1, 0x2E, 0x3D);
srand 14;
for (1 .. $random_texts)
{
	my $text = '';
	for (0 .. rand 12)
	{
		my $from = rand() < 0.4 ? \@special : \@common;
		$text .= $from->[ rand @$from ];
		$text = NFD($text) if rand() < 0.1;
	}
	push @texts, $text;
}
utf8::encode(my $input = join '', map { "$_\@b.org\n" } @texts);

my $file = "$program.oracle";
open my $out, '>:raw', $file or die "$file: $!\n";
print $out $input;
close $out or die "$file: $!\n";
open my $results, '-|:raw', "$program canonical < $file" or die "$program: $!\n";
my ($accepted, $wrong) = (0, 0);
for my $text (@texts)
{
	my $got = readline $results // die "$program stopped\n";
	chomp $got;
	my $expected = canonical($text);
	$accepted++ if defined $expected;
	next if defined $expected ? $got eq "$expected\@b.org" : $got =~ /^!/;
	$wrong++;
	printf "not ok: %s gives %s, not %s\n", join(' ', map { sprintf 'U+%04X', ord } split //, $text),
	  $got, defined $expected ? $expected : 'a refusal';
	last if $wrong == 20;
}
close $results;
unlink $file;
printf "oracle: %d texts, %d of them accepted, %d wrong\n", scalar @texts, $accepted, $wrong;
exit($wrong || !$accepted ? 1 : 0);
