#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# A codec of its own, written from the guide and the specification alone.
use strict;
use warnings;
use List::Util qw(first max);
no warnings 'portable';
$| = 1;

my @fields = ([num_pages => 0], [actual => 4], [cmd_id => 8],
              [poison_val => 12]);
my %bit = (stats => 1, hint => 3, report => 5);
my @queues = qw(inflate deflate stats hint report);

# Numbers up to 2^64 - 1, decimal or with 0x; bytes as hex digits or "-".
sub num { my $t = shift; return $t =~ /^0x/i ? hex($t) : 0 + $t }
sub bytes { my $t = shift; return $t eq '-' ? '' : pack('H*', $t) }
sub show { my $d = shift; return $d eq '' ? '-' : unpack('H*', $d) }
sub put32 { my ($e, $v) = @_; return pack($e eq 'be' ? 'N' : 'V', $v) }
sub get32 { my ($e, $d) = @_; return unpack($e eq 'be' ? 'N' : 'V', $d) }
sub stat { return shift eq 'be' ? 'n Q>' : 'v Q<' }

# The entries of a buffer, or nothing when it ends inside one.
sub entries {
    my ($data, $size) = (bytes(shift), shift);
    return length($data) % $size ? undef : [unpack("(a$size)*", $data)];
}

sub config_decode {
    my $space = bytes(shift);
    return join ' ', 'ok', map {
        my ($name, $at) = @$_;
        "$name=" . ($at + 4 <= length $space
            ? get32('le', substr($space, $at, 4)) : 'absent');
    } @fields;
}
sub config_encode {
    my ($size, @values) = @_;
    my $space = "\0" x $size;
    for my $f (@fields) {
        my $value = put32('le', num(shift @values));
        substr($space, $f->[1], 4) = $value if $f->[1] + 4 <= $size;
    }
    return 'ok ' . show($space);
}
sub config_size {
    my $f = num(shift);
    return 'ok ' . ($f & 1 << 4 ? 16 : $f & 1 << 3 ? 12 : 8);
}

sub command_decode {
    my ($endian, $data) = ($_[0], bytes($_[1]));
    return length($data) == 4 ? 'ok ' . get32($endian, $data) : 'err length';
}
sub command_encode { return 'ok ' . show(put32($_[0], num($_[1]))) }
sub command_next {
    my $id = num(shift);
    return 'ok ' . ($id == 0xffffffff ? 'none' : $id < 2 ? 2 : $id + 1);
}

sub pfn_decode {
    my $endian = shift;
    my $all = entries(shift, 4) or return 'err short';
    return join ' ', 'ok', map { get32($endian, $_) << 12 } @$all;
}
sub pfn_encode {
    my ($endian, @gpas) = (shift, map { num($_) } @_);
    return 'err refused' if grep { $_ & 0xfff || $_ >> 44 } @gpas;
    return 'ok ' . show(join '', map { put32($endian, $_ >> 12) } @gpas);
}
sub stat_decode {
    my $form = &stat(shift);
    my $all = entries(shift, 10) or return 'err short';
    return join ' ', 'ok', map { sprintf '%u=%u', unpack($form, $_) } @$all;
}
sub stat_encode {
    my $form = &stat(shift);
    return 'ok ' . show(join '', map {
        pack $form, map { num($_) } split /=/ } @_);
}

sub has { my ($q, $f) = @_; return !$bit{$q} || $f >> $bit{$q} & 1 }
sub index_of {
    my ($queue, $numbering, $offered, $negotiated) = @_;
    return 'none' unless has($queue, $negotiated);
    my $n = 0;
    for my $q (@queues) {
        return $n if $q eq $queue;
        $n++ if $numbering eq 'fixed' ||
            has($q, $numbering eq 'negotiated' ? $negotiated : $offered);
    }
}
sub queue_index { return 'ok ' . index_of(@_[0, 1], num($_[2]), num($_[3])) }
sub queue_infer {
    my ($offered, $negotiated, @enabled) = map { num($_) } @_;
    return join ' ', 'ok', grep {
        my $n = $_;
        my %at = map { (index_of($_, $n, $offered, $negotiated), 1) } @queues;
        !(grep { !$at{$_} } @enabled) ||
            $n eq 'fixed' && max(@enabled) == max(grep { /\d/ } keys %at);
    } qw(fixed negotiated offered);
}

# Ranges by their first and last byte, which needs no 65th bit.
sub coalesce {
    my ($granule, @in, @runs, @out) = num(shift);
    for (@_) {
        my ($gpa, $len) = map { num($_) } split /\+/;
        return 'err refused' if !$len || $len - 1 > ~0 - $gpa;
        push @in, [$gpa, $gpa + ($len - 1)];
    }
    for my $r (sort { $a->[0] <=> $b->[0] } @in) {
        if (@runs && ($r->[0] <= $runs[-1][1] ||
                      $r->[0] - 1 == $runs[-1][1])) {
            $runs[-1][1] = $r->[1] if $r->[1] > $runs[-1][1];
        } else {
            push @runs, $r;
        }
    }
    for (@runs) {
        my ($first, $last) = @$_;
        my $up = $first % $granule ? $granule - $first % $granule : 0;
        next if $up > ~0 - $first;
        my $down = ($last % $granule + 1) % $granule;
        $first += $up;
        next if $down > $last || $first > $last - $down;
        push @out, sprintf '0x%x+0x%x', $first, $last - $down - $first + 1;
    }
    return join ' ', 'ok', @out;
}

sub poison_discard { my ($on, $value) = map { num($_) } @_;
                     return 'ok ' . ($on && $value ? 0 : 1) }

# Rings.  What breaks one ends by die, after the buffers that came before it.
my ($NEXT, $WRITE, $INDIRECT, $AVAIL, $USED) = (1, 2, 4, 1 << 7, 1 << 15);
sub need { die "broken\n" unless shift }
sub take_all {
    my ($take, @out) = shift;
    while (1) {
        my $buffer = eval { $take->() };
        return 'err broken', @out if $@;
        return 'ok', @out unless defined $buffer;
        push @out, $buffer;
    }
}

# Pieces of guest memory as [address, bytes]; a range of one of them.
sub pieces { return [map { my ($at, $data) = split /=/;
                           [num($at), bytes($data)] } @_] }
sub fetch {
    my ($memory, $at, $len) = @_;
    for (@$memory) {
        my ($gpa, $data) = @$_;
        return substr $data, $at - $gpa, $len
            if $at >= $gpa && $at - $gpa <= length($data) &&
               $len <= length($data) - ($at - $gpa);
    }
    return undef;
}
sub table {
    my ($memory, $at, $len) = @_;
    need($len && $len % 16 == 0);
    my $data = fetch($memory, $at, $len);
    need(defined $data);
    return $data;
}

# A buffer of segments [address, length, flags], when it is a good one.
sub buffer {
    my ($written, $sum, @out) = (0, 0);
    for (@_) {
        my ($at, $len, $flags) = @$_;
        my $write = $flags & $WRITE;
        need($len && $len - 1 <= ~0 - $at && ($write || !$written));
        ($written, $sum) = ($write, $sum + $len);
        push @out, sprintf '%s0x%x+0x%x', $write ? 'W' : 'R', $at, $len;
    }
    need($sum <= 1 << 32);
    return join '|', @out;
}

# Follows a chain; the indirect descriptor that ends it, or nothing.
sub walk {
    my ($form, $table, $at, $num, $segs) = @_;
    while (1) {
        need($at < length($table) / 16 && @$segs < $num);
        my ($addr, $len, $flags, $next) =
            unpack $form, substr $table, 16 * $at, 16;
        if ($flags & $INDIRECT) {
            need(!($flags & $NEXT));
            return [$addr, $len];
        }
        push @$segs, [$addr, $len, $flags];
        return undef unless $flags & $NEXT;
        $at = $next;
    }
}
sub ring {
    my ($num, $endian, $indirect, $idx, $heads, $table, @rest) = @_;
    my $form = $endian eq 'be' ? 'Q> N n n' : 'Q< V v v';
    my @heads = $heads eq '-' ? () : map { num($_) } split /,/, $heads;
    my $memory = pieces(@rest);
    my $all = bytes($table);
    $all .= "\0" x (16 * $num - length $all);
    return 'err broken' if $idx > $num;
    my $n = 0;
    return join ' ', take_all(sub {
        return undef if $n == $idx;
        my @segs;
        my $link = walk($form, $all, $heads[$n++] // 0, $num, \@segs);
        if ($link) {
            need($indirect);
            need(!walk($form, table($memory, @$link), 0, $num, \@segs));
        }
        return buffer(@segs);
    });
}

sub step {
    my ($num, $slot, $wrap, $n) = @_;
    $slot += $n;
    return $slot >= $num ? ($slot - $num, !$wrap) : ($slot, $wrap);
}
sub packed_of {
    my ($in_order, $num, $indirect, $first, $wrap, $done, $table, @rest) = @_;
    my ($memory, $all) = (pieces(@rest), bytes($table));
    my @place = ($first, $wrap);
    my @used = @place;
    my @taken;
    $all .= "\0" x (16 * $num - length $all);
    my $load = sub {
        my ($slot, $lap) = @_;
        my @d = unpack 'Q< V v v', substr $all, 16 * $slot, 16;
        my ($avail, $used) = (!!($d[3] & $AVAIL), !!($d[3] & $USED));
        return $avail == !!$lap && $used != !!$lap ? @d : ();
    };
    my @answer = take_all(sub {
        my (@segs, $n);
        my @at = @place;
        my ($addr, $len, $id, $flags) = $load->(@at) or return undef;
        while (1) {
            @at = step($num, @at, 1);
            $n++;
            if ($flags & $INDIRECT) {
                need($n == 1 && !($flags & $NEXT) && $indirect);
                my $data = table($memory, $addr, $len);
                need(length($data) / 16 <= $num);
                @segs = map { my @d = unpack 'Q< V v v', $_;
                              [@d[0, 1, 3]] } unpack '(a16)*', $data;
                last;
            }
            push @segs, [$addr, $len, $flags];
            last unless $flags & $NEXT;
            need($n < $num);
            ($addr, $len, $id, $flags) = $load->(@at);
            need(defined $addr);
        }
        my $buffer = buffer(@segs);
        @place = @at;
        push @taken, [$id, $n];
        return $buffer;
    });
    my %back;
    my @done = $done eq '-' ? () : split /,/, $done;
    if ($in_order) {
        my %over = map { ($_, 1) } @done;
        @done = 0 .. $#taken;
        my $stop = first { !$over{$_} } @done;
        splice @done, $stop if defined $stop;
    }
    for (map { $taken[$_] // () } @done) {
        my ($id, $n) = @$_;
        $back{$used[0]} = sprintf '%d=%d:0x%x', $used[0], $id,
            $used[1] ? $AVAIL | $USED : 0;
        @used = step($num, @used, $n);
    }
    return join ' ', @answer, map { $back{$_} } sort { $a <=> $b } keys %back;
}

sub packed { return packed_of(0, @_) }
sub packed_in_order { return packed_of(1, @_) }

# Buffer n has head n here.
sub used_ring {
    my ($num, $endian, $buffers, $idx, @used) = @_;
    return 'err broken' if $idx > $buffers;
    my %flight = map { ($_, 1) } 0 .. $buffers - 1;
    my $n = 0;
    return join ' ', take_all(sub {
        return undef if $n == $idx;
        my ($id) = $used[$n++] =~ /^b?([^+]*)/;
        need(delete $flight{num($id)});
        return num($id);
    });
}

# Of the buffers in flight, the oldest first, those that come back with an id.
sub batch {
    my ($flight, $id, $in_order) = @_;
    my $at = first { $flight->[$_] eq $id } 0 .. $#$flight;
    need(defined $at);
    return $in_order ? splice @$flight, 0, $at + 1 : splice @$flight, $at, 1;
}
# What a device wrote, by its place: [id, length or flags].
sub written { return map { my ($at, $id, $n) = /^(.*)=b?(.*)[+:](.*)/;
                           ($at, [num($id), num($n)]) } @_ }
sub used_in_order {
    my ($num, $first, $buffers, $idx, @used) = @_;
    my %used = written(@used);
    my @flight = 0 .. $buffers - 1;
    my ($left, @out) = (($idx - $first) % 65536);
    return 'err broken' if $left > $buffers;
    return join ' ', take_all(sub {
        return shift @out if @out;
        need($left >= 0);
        return undef unless $left;
        @out = batch(\@flight, $used{$first % $num}[0] // -1, 1);
        $left -= @out;
        $first += @out;
        return shift @out;
    });
}
sub packed_used {
    my ($num, $in_order, $first, $lists, @used) = @_;
    my %used = written(@used);
    my @lists = split /,/, $lists;
    my @flight = 0 .. $#lists;
    my @out;
    return join ' ', take_all(sub {
        return shift @out if @out;
        my $one = @flight ? $used{$first % $num} : undef;
        my $bits = int($first / $num) % 2 ? 0 : $AVAIL | $USED;
        return undef unless $one && ($one->[1] & ($AVAIL | $USED)) == $bits;
        @out = batch(\@flight, $one->[0], $in_order);
        $first += $lists[$_] for @out;
        return shift @out;
    });
}

my %call = map { my $n = tr/_/-/r; ($n, \&{$main::{$_}}) }
    qw(config_decode config_encode config_size command_decode command_encode
       command_next pfn_decode pfn_encode stat_decode stat_encode
       queue_index queue_infer coalesce poison_discard ring packed
       packed_in_order used_ring used_in_order packed_used);
while (<STDIN>) {
    my ($request, @words) = split;
    print $request eq 'hello' ? 'ok fph-conformance 1 perl roles=codec'
        : $request eq 'bye' ? 'ok'
        : $call{$request} ? $call{$request}->(@words)
        : 'skip unknown request', "\n";
}
