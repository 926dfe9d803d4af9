# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# frozen_string_literal: true

require_relative 'testee_common'

# A descriptor that was taken; bytes are known in the device role only.
Segment = Struct.new(:writable, :range, :bytes) do
  def len = range[1] - range[0]
  def to_s = (writable ? 'W' : 'R') + Ranges.show(range)
end

# Buffers of a split ring.
class Ring
  NEXT, WRITABLE, INDIRECT = 1, 2, 4

  def initialize(num, order, indirect, table, memory)
    @num, @order, @indirect, @memory = num, order, indirect, memory
    @table = entries(table.ljust(16 * num, "\0"))
  end

  def take(head)
    table, index, inside, chain = @table, head, false, []
    loop do
      gpa, len, flags, after = table[index] || raise(Broken)
      if flags & INDIRECT != 0
        raise Broken if inside || !@indirect || flags & NEXT != 0

        table, index, inside = indirect_table(gpa, len), 0, true
        next
      end
      chain << Segment.new(flags & WRITABLE != 0, [gpa, gpa + len])
      raise Broken if chain.size > @num
      return Ring.check(chain) if flags & NEXT == 0

      index = after
    end
  end

  # What is an error wherever the descriptors lie.
  def self.check(chain)
    raise Broken if chain.any? { |s| s.len.zero? || s.range[1] > 1 << 64 }
    raise Broken if chain.sum(&:len) > 1 << 32
    raise Broken if chain.each_cons(2).any? { |a, b| a.writable && !b.writable }

    chain
  end

  private

  def entries(bytes)
    bytes.unpack("a16" * (bytes.size / 16))
         .map { |d| d.unpack("Q#{@order}L#{@order}S#{@order}2") }
  end

  def indirect_table(gpa, len)
    raise Broken if len.zero? || len % 16 != 0

    base, bytes = @memory.find { |at, b| gpa >= at && gpa + len <= at + b.size }
    entries((bytes || raise(Broken)).byteslice(gpa - base, len))
  end
end

# The codec role: questions without memory.
class Codec
  ORDERS = { 'le' => '<', 'be' => '>' }.freeze
  FIELDS = %w[num_pages actual cmd_id poison_val].freeze

  def config_decode(hex)
    values = bytes(hex).unpack('L<4')
    FIELDS.zip(values).map { |name, value| "#{name}=#{value || 'absent'}" }
  end

  def config_encode(size, *fields)
    size = Integer(size)
    hex(fields.map { |f| Integer(f) }.first(size / 4).pack('L<*').ljust(size, "\0"))
  end

  def config_size(features) = Features.config_size(Integer(features))

  def command_decode(order, hex)
    raise Refused, 'length' if bytes(hex).size != 4

    bytes(hex).unpack1("L#{ORDERS[order]}")
  end

  def command_encode(order, id) = hex([Integer(id)].pack("L#{ORDERS[order]}"))

  def command_next(id)
    id = Integer(id)
    id == 0xffffffff ? 'none' : [id + 1, 2].max
  end

  def pfn_decode(order, hex)
    raise Refused, 'short' if bytes(hex).size % 4 != 0

    bytes(hex).unpack("L#{ORDERS[order]}*").map { |pfn| pfn * 4096 }
  end

  def pfn_encode(order, *gpas)
    gpas.map! { |gpa| Integer(gpa) }
    raise Refused, 'refused' if gpas.any? { |g| g % 4096 != 0 || g >= 1 << 44 }

    hex(gpas.map { |gpa| gpa / 4096 }.pack("L#{ORDERS[order]}*"))
  end

  def stat_decode(order, hex)
    raise Refused, 'short' if bytes(hex).size % 10 != 0

    bytes(hex).unpack('a10' * (bytes(hex).size / 10)).map do |entry|
      entry.unpack("S#{ORDERS[order]}Q#{ORDERS[order]}").join('=')
    end
  end

  def stat_encode(order, *stats)
    hex(stats.map do |stat|
      stat.split('=').map { |n| Integer(n) }
          .pack("S#{ORDERS[order]}Q#{ORDERS[order]}")
    end.join)
  end

  def queue_index(queue, numbering, offered, negotiated)
    Features.index(queue, numbering, Integer(offered), Integer(negotiated)) || 'none'
  end

  def queue_infer(offered, negotiated, *indices)
    features = [Integer(offered), Integer(negotiated)]
    enabled = indices.map { |i| Integer(i) }
    Features::NUMBERINGS.select do |numbering|
      given = Features::QUEUES.keys.map { |q| Features.index(q, numbering, *features) }
      # With the last of the fixed ones, others hold a place (Q-3A).
      (enabled - given).empty? ||
        (numbering == 'fixed' && enabled.max == given.compact.max)
    end
  end

  def coalesce(granule, *words)
    ranges = words.map { |word| Ranges.parse(word) }
    raise Refused, 'refused' if ranges.any? { |a, b| a == b || b > 1 << 64 }

    Ranges.inwards(Ranges.union(ranges), Integer(granule)).map { |r| Ranges.show(r) }
  end

  def ring(num, order, indirect, avail_idx, heads, table, *memory)
    num, avail_idx = Integer(num), Integer(avail_idx)
    memory = memory.map { |piece| piece.split('=') }
                   .map { |gpa, hex| [Integer(gpa), bytes(hex)] }
    ring = Ring.new(num, ORDERS[order], indirect == '1', bytes(table), memory)
    heads = heads == '-' ? [] : heads.split(',').map { |h| Integer(h) }
    taken = []
    raise Broken if avail_idx > num

    avail_idx.times { |i| taken << ring.take(heads[i] || 0).join('|') }
    taken
  rescue Broken
    raise Refused, ['broken', *taken].join(' ')
  end

  private

  def bytes(hex) = hex == '-' ? '' : [hex].pack('H*')
  def hex(bytes) = bytes.empty? ? '-' : bytes.unpack1('H*')
end
