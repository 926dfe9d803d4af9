# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# frozen_string_literal: true

# An answer "err CODE".
class Refused < StandardError; end
# An error of a ring.
class Broken < StandardError; end

# Sets of bytes: lists of pairs [first, end), ascending and disjoint after union.
module Ranges
  module_function

  def parse(word)
    gpa, len = word.split('+', 2).map { |n| Integer(n) }
    [gpa, gpa + len]
  end

  def show((first, last)) = format('0x%x+0x%x', first, last - first)

  def union(*sets)
    sets.flatten(1).sort.each_with_object([]) do |(first, last), out|
      if out.any? && first <= out[-1][1]
        out[-1] = [out[-1][0], [out[-1][1], last].max]
      else
        out << [first, last]
      end
    end
  end

  def cut(set, (first, last))
    set.map { |a, b| [[a, first].max, [b, last].min] }.select { |a, b| a < b }
  end

  def minus(set, holes)
    holes.reduce(set) do |left, (first, last)|
      left.flat_map { |a, b| [[a, [b, first].min], [[a, last].max, b]] }
          .select { |a, b| a < b }
    end
  end

  def inwards(set, granule)
    set.map { |a, b| [a + -a % granule, b - b % granule] }.select { |a, b| a < b }
  end
end

# Features and queues.
module Features
  STATS, HINT, POISON, REPORT, VERSION_1, PLATFORM = 1, 3, 4, 5, 32, 33
  QUEUES = { 'inflate' => nil, 'deflate' => nil, 'stats' => STATS,
             'hint' => HINT, 'report' => REPORT }.freeze
  NUMBERINGS = %w[fixed negotiated offered].freeze

  module_function

  def queue?(queue, features)
    QUEUES.key?(queue) && (QUEUES[queue].nil? || features[QUEUES[queue]] == 1)
  end

  def index(queue, numbering, offered, negotiated)
    return unless queue?(queue, negotiated)

    counted = { 'fixed' => -1, 'negotiated' => negotiated, 'offered' => offered }
    QUEUES.keys.take_while { |q| q != queue }
          .count { |q| queue?(q, counted.fetch(numbering)) }
  end

  def config_size(offered)
    offered[POISON] == 1 ? 16 : offered[HINT] == 1 ? 12 : 8
  end

  # The byte order of entries and commands, as a suffix for pack: '' is native.
  def order(features) = features[VERSION_1] == 1 ? '<' : ''
end

# What the two roles with a state share.
class Role
  def initialize(out) = @out = out

  private

  def say(*words) = @out.puts(words.join(' '))
  def feature?(bit) = @features[bit] == 1
end
