# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# frozen_string_literal: true

require_relative 'testee_common'

# The driver role.  It hints and reports what is free where it lies, without
# allocating it, and lets nobody take what is in flight.
class Driver < Role
  Flight = Struct.new(:queue, :segments, :ranges, :id)
  PIECE = 1 << 28
  REPORT_RANGES = 16
  REPORTS = 2

  def initialize(out, features:, content:, cmd_id:, ring:)
    super(out)
    @features, @ring = Integer(features), Integer(ring)
    trusted = !feature?(Features::PLATFORM)
    @hints = feature?(Features::HINT) && trusted && content == 'free'
    @reports = feature?(Features::REPORT) && trusted
    raise Refused, 'content' if @reports && content == 'kept' && !feature?(Features::POISON)

    @flights, @number, @free, @reported = {}, 0, [], []
    forget
    config(cmd_id)
  end

  def config(id)
    @id = Integer(id)
    look
  end

  def free(word)
    @free = Ranges.union(@free, [Ranges.parse(word)])
    nil
  end

  def take(word)
    range = Ranges.parse(word)
    raise Refused, 'busy' if @flights.each_value.any? { |f| Ranges.cut(f.ranges, range).any? }

    @free = Ranges.minus(@free, [range])
    @reported = Ranges.minus(@reported, [range])
    nil
  end

  def work
    look
    hint if @hints
    report if @reports
    nil
  end

  def used(number, _len)
    flight = @flights.delete(Integer(number)) || raise(Refused, 'unknown')
    @reported = Ranges.union(@reported, flight.ranges) if flight.queue == 'report'
    @started = flight.id if flight.id.to_i >= 2
    nil
  end

  def device_reset
    @flights.clear
    forget
  end

  def queue_reset(queue)
    @flights.delete_if { |_, flight| flight.queue == queue }
    @stream = nil if queue == 'hint'
    nil
  end

  private

  def forget
    @id, @sent, @hinted = 0, [], []
    @stream = @started = @shown = nil
  end

  # A 0 is STOP only after the id was seen when its START was used.
  def look
    @shown = @id if @id == @started
    nil
  end

  # One descriptor stays free for STOP.
  def hint
    start if @stream.nil?
    return if @stream.nil?

    unless withdrawn?
      hints = pieces(@hinted, [room('hint') - 1, 0].max)
      hints.each { |range| offer('hint', ranges: [range]) }
      @hinted = Ranges.union(@hinted, hints)
      return if pieces(@hinted, 1).any?
    end
    stop
  end

  def withdrawn? = @id != @stream && (@id != 0 || @shown == @stream)

  def start
    return if @id < 2 || @sent.include?(@id) || room('hint') < [2, @ring].min

    @stream = @id
    @sent << @id
    @hinted = []
    offer('hint', id: @id)
  end

  def stop
    return if room('hint').zero?

    offer('hint', id: 0)
    @stream = nil
    hint
  end

  def report
    while @flights.each_value.count { |f| f.queue == 'report' } < REPORTS
      ranges = pieces(@reported, [REPORT_RANGES, room('report')].min)
      return if ranges.empty?

      offer('report', ranges: ranges)
    end
  end

  # The first pieces of what is free, not in flight, and not in `done`.
  def pieces(done, most)
    set = Ranges.minus(@free, Ranges.union(done, *@flights.each_value.map(&:ranges)))
    set.lazy.flat_map { |a, b| a.step(b - 1, PIECE).map { |x| [x, [x + PIECE, b].min] } }
       .first(most)
  end

  def room(queue)
    @ring - @flights.each_value.sum { |f| f.queue == queue ? f.segments : 0 }
  end

  def offer(queue, ranges: [], id: nil)
    segments = ranges.map { |range| "W:#{Ranges.show(range)}" }
    segments << "R:#{[id].pack("L#{Features.order(@features)}").unpack1('H*')}" if id
    @flights[@number] = Flight.new(queue, segments.size, ranges, id)
    say 'vq', queue, @number, *segments
    @number += 1
  end
end
