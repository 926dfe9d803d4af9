# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# frozen_string_literal: true

require_relative 'testee_codec'

# The device role.  A step takes one buffer, acts on one range, or returns one
# buffer; what is available is taken before anything is acted on.  What was
# taken is dropped at a barrier, so the device is drained whenever it is asked
# and never in the state STOPPING.
class Device < Role
  Taken = Struct.new(:queue, :number, :ranges)
  MOST_FRAMES = 1024
  LAST_ID = 0xffffffff

  def initialize(out, offered:, features:, granule:, mem:)
    super(out)
    @offered, @granule = Integer(offered), Integer(granule)
    @regions = mem.split(',').map { |word| Ranges.parse(word) }
    @memory = Ranges.union(@regions)
    @id = @shown = 0
    forget
    features(features)
  end

  def features(features)
    @features = Integer(features)
    raise Refused, 'features' if @features & ~@offered != 0

    @driver_ok = true
    nil
  end

  def device_reset
    say 'cfg', 0 if @shown != 0
    @shown = 0
    @id = 0 if @id == LAST_ID
    forget
  end

  def read_config(offset, len)
    config.byteslice(Integer(offset)..).to_s.ljust(Integer(len), "\0")
          .byteslice(0, Integer(len)).unpack1('H*')
  end

  # The driver's fields are `actual`, and `poison_val` when it was negotiated.
  def write_config(offset, hex)
    [hex].pack('H*').each_byte.with_index(Integer(offset)) do |byte, at|
      @written[at] = byte if at / 4 == 1 || (at / 4 == 3 && feature?(Features::POISON))
    end
    nil
  end

  def vq(queue, number, *words)
    raise Refused, 'queue' unless @driver_ok && Features.queue?(queue, @features)

    @available << [queue, number, words.map { |word| segment(word) }]
    nil
  end

  def work(steps = nil)
    left = steps ? Integer(steps) : Float::INFINITY
    left -= 1 while left.positive? && step
  end

  def start
    raise Refused, 'hints' unless hints?
    raise Refused, 'broken' if @broken || @barred
    raise Refused, 'sync' if @syncing || !@synced
    raise Refused, 'round' if %i[requested active].include?(@state)
    raise Refused, 'exhausted' if @id == LAST_ID

    drop_hints
    @id = [@id + 1, 2].max
    publish(:requested, @id)
    @id
  end

  def stop
    drop_hints
    publish(:idle, 0) unless @state == :done
  end

  def done(_how)
    drop_hints
    publish(:done, 1) if hints?
  end

  def sync_begin
    stop
    @syncing = true
    nil
  end

  def sync_end
    @syncing = false
    @synced = true
    nil
  end

  private

  def hints? = @driver_ok && feature?(Features::HINT)

  def forget
    @features, @driver_ok, @state = 0, false, :idle
    @broken = @barred = false
    @synced = @syncing = false
    @available, @taken, @written = [], [], {}
    nil
  end

  def publish(state, id)
    @state = state
    return if id == @shown

    @shown = id
    say 'cfg', id
    say 'irq'
  end

  def config
    bytes = [0, 0, @shown, 0].pack('L<4')
    @written.each { |at, byte| bytes.setbyte(at, byte) }
    bytes.byteslice(0, Features.config_size(@offered))
  end

  def poison_val = config.unpack('L<4')[3] || 0

  def segment(word)
    kind, rest = word.split(':', 2)
    return Segment.new(kind == 'W', Ranges.parse(rest)) if kind != 'R'

    bytes = rest == '-' ? '' : [rest].pack('H*')
    Segment.new(false, [0, bytes.size], bytes)
  end

  def step
    if !@broken && @available.any? then take(*@available.shift)
    elsif @taken.empty? then return false
    elsif (range = @taken[0].ranges.shift) then act(@taken[0].queue, range)
    else say 'used', @taken.shift.number, 0
    end
    true
  end

  def act(queue, range)
    return say('skip-range', Ranges.show(range)) if queue == 'hint'

    say 'discard', Ranges.show(range) if queue == 'inflate' || poison_val.zero?
  end

  def take(queue, number, chain)
    ranges = send("take_#{queue}", Ring.check(chain))
    @taken << Taken.new(queue, number, ranges) if ranges
  rescue Broken
    @broken = true
    say 'broken'
    say 'irq'
    stop
  end

  # It is held until other values are wanted, which nobody asks for.
  def take_stats(_chain) = nil
  def take_deflate(_chain) = []

  def take_inflate(chain)
    bytes = content(chain)
    return [] if bytes.nil? || bytes.size % 4 != 0 || bytes.size > 4 * MOST_FRAMES

    frames = bytes.unpack("L#{Features.order(@features)}*")
                  .map { |pfn| [pfn * 4096, (pfn + 1) * 4096] }
    memory?(frames) ? whole(frames, @granule) : []
  end

  def take_report(chain)
    ranges = chain.map(&:range)
    chain.all?(&:writable) && memory?(ranges) ? whole(ranges, @granule) : []
  end

  def take_hint(chain)
    hints, command = chain.partition(&:writable)
    unless [0, 4].include?(command.sum(&:len))
      @barred = true
      stop
      return []
    end
    bytes = content(command)
    return [] if bytes.nil? || !memory?(hints.map(&:range))

    command(bytes.unpack1("L#{Features.order(@features)}")) unless bytes.empty?
    @state == :active ? whole(hints.map(&:range), @granule) : []
  end

  def command(id)
    if @state == :active then publish(:stopped, 0)
    elsif @state == :requested && id == @id then @state = :active
    end
  end

  def drop_hints = @taken.each { |b| b.ranges.clear if b.queue == 'hint' }

  # The bytes of readable segments, if they are known.
  def content(chain)
    chain.map(&:bytes).join unless chain.any? { |segment| segment.bytes.nil? }
  end

  def memory?(ranges) = Ranges.minus(ranges, @memory).empty?

  def whole(ranges, granule)
    union = Ranges.union(ranges)
    @regions.sort.flat_map { |region| Ranges.inwards(Ranges.cut(union, region), granule) }
  end
end
