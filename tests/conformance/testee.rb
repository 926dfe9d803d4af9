#!/usr/bin/env ruby
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# frozen_string_literal: true

# A testee in Ruby, with all three roles, written from GUIDE.adoc and spec/ alone.
# It needs nothing but Ruby.

require_relative 'testee_device'
require_relative 'testee_driver'

# The conversation.
class Testee
  ROLES = { 'device' => Device, 'driver' => Driver }.freeze
  NAME = 'ok fph-conformance 1 ruby roles=codec,device,driver acts=hints,reports'

  def initialize(input, out)
    @input, @out = input, out
    @out.sync = true
    @codec = Codec.new
  end

  def run
    @input.each_line do |line|
      request, *words = line.split
      @out.puts answer(request, words)
      return if request == 'bye'
    end
  end

  private

  def answer(request, words)
    case request
    when 'hello' then NAME
    when 'bye' then 'ok'
    when 'reset' then reset(words.to_h { |word| word.split('=', 2) })
    else ask(request.tr('-', '_'), words)
    end
  rescue Refused => e
    "err #{e.message}"
  end

  def reset(options)
    role = ROLES[options.delete('role')] || (return 'skip role')
    @role = role.new(@out, **options.transform_keys(&:to_sym))
    'ok'
  end

  def ask(name, words)
    who = [@codec, @role].compact.find do |role|
      role.class.public_instance_methods(false).include?(name.to_sym)
    end
    who ? ['ok', *who.public_send(name, *words)].join(' ') : 'skip unknown request'
  end
end

Testee.new($stdin, $stdout).run
