# The examples of the documents work as written; links and names of files lead
# somewhere.
# Each document is read in a database of its own: a block of sql is run, and if
# a block of text follows it, that is what psql prints.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;

# The fenced blocks of a file, in order: [ line, language, contents ].
sub blocks
{
	my ($file) = @_;
	my @blocks;
	my $block;

	open my $in, '<:raw', $file or die "$file: $!";
	while (my $line = <$in>)
	{
		if ($line =~ /^```(\w*)\s*$/)
		{
			push @blocks, $block if $block;
			$block = $block ? undef : [ $., $1, '' ];
		}
		elsif ($block)
		{
			$block->[2] .= $line;
		}
	}
	return @blocks;
}

# What psql prints, errors included, when it runs one block after the others.
sub run_blocks
{
	my ($db, @sql) = @_;
	my $marker = '=== end of block';
	my $script = join '', map { "$_->[2]\n\\echo $marker\n" } @sql;
	my $out;

	# psql flushes its output before it reports an error: they stay in order.
	IPC::Run::run([ 'psql', '-X', '-q', '-d', $node->connstr($db) ],
		'<', \$script, '>', \$out, '2>&1');
	return split /^$marker\n/m, $out, -1;
}

# Blank space at line ends does not count.
sub tidy
{
	my ($text) = @_;

	$text =~ s/[ \t]+$//mg;
	$text =~ s/\A\n+|\n+\z//g;
	return $text;
}

# The text of a file without its blocks of code.
sub prose
{
	my ($file) = @_;

	my $text = slurp_file($file);
	$text =~ s/^```.*?^```//msg;
	return $text;
}

# The anchors that its headings have, as GitHub makes them.
sub anchors
{
	my ($file) = @_;
	my %anchors;

	for my $heading (prose($file) =~ /^#+ +(.*)/mg)
	{
		my $anchor = lc $heading;
		$anchor =~ s/[^\w\- ]//g;
		$anchor =~ tr/ /-/;
		$anchors{$anchor} = 1;
	}
	return \%anchors;
}

# The links of a file that lead nowhere, other sites left aside.
sub dead_links
{
	my ($file) = @_;
	my ($folder) = $file =~ m{^(.*/)?};
	my @dead;

	for my $link (prose($file) =~ /\]\(([^)\s]+)\)/g)
	{
		next if $link =~ /^\w+:/;
		my ($path, $anchor) = $link =~ /^([^#]*)(?:#(.*))?/;
		my $target = $path eq '' ? $file : ($folder // '') . $path;
		push @dead, $link
		  if !-e $target || (defined $anchor && !anchors($target)->{$anchor});
	}
	return @dead;
}

# The files of the tree that a file names and that are not there.
sub lost_files
{
	my ($file) = @_;

	return grep { my @found = glob "$_*"; !@found }
	  prose($file) =~ m{`((?:bench|data|demo|doc|sql|src|test)/[^`\s]*)`}g;
}

my @documents = ('README.md', 'CHANGELOG.md', glob 'doc/*.md');
for my $file (@documents)
{
	is(join(', ', dead_links($file)), '', "$file: no dead links");
	is(join(', ', lost_files($file)), '', "$file: no lost files");
}
my $map = slurp_file('doc/design.md');
is(join(', ', grep { index($map, $_) < 0 } glob 'src/*.c'),
	'', 'doc/design.md: every file of the source has its place');

my $count = 0;
for my $file (@documents)
{
	my @blocks = blocks($file);
	my @sql = grep { $_->[1] eq 'sql' } @blocks;
	next unless @sql;

	my $db = 'doc_' . $count++;
	$node->safe_psql('postgres', "CREATE DATABASE $db ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0");
	my @printed = run_blocks($db, @sql);

	for my $i (0 .. $#blocks)
	{
		my ($line, $language, $text) = @{ $blocks[$i] };
		next unless $language eq 'sql';

		my $printed = tidy(shift @printed // 'psql stopped');
		my $next = $blocks[ $i + 1 ];
		if ($next && $next->[1] eq 'text')
		{
			is($printed, tidy($next->[2]), "$file, line $line: prints what follows");
		}
		else
		{
			unlike($printed, qr/ERROR|psql stopped/, "$file, line $line: works");
		}
	}
}
cmp_ok($count, '>', 0, 'some document has examples');

$node->stop;
done_testing();
