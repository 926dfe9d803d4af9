# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# What the chapters leave to the page: a norm becomes a block of its own with
# its level, beside what its paragraph says of it, an id elsewhere becomes a link to its norm, and "list-of-tables"
# becomes that list.  The sources stay readable without this file.
require 'asciidoctor'

module FphNorms
  ID = /FPH-[A-Z]+-?[0-9]+[A-Z]?\b/
  NORM = /^\*(#{ID})\* \[#norm:\1\]\#(.*?)\#(?:\s*\[\.origin\]_\((.*?)\)_)?[ \t]*\n?/m
  LEVEL = /\b(MUST NOT|MUST|SHOULD NOT|SHOULD|MAY)\b/
  # A table that is not to be torn.  Space after it is lost with that.
  TORN = /^(\[#tab-[\w-]+)(?=[,\]])(.*?\n\|===\n.*?\n\|===\n)/m
  GAP = "\nifdef::backend-pdf[]\n{empty}\n\nendif::[]\n"
  TABLE = /^\[#(tab-[\w-]+)[^\n]*\n\.([^\n]+)\n/

  module_function

  def link(text)
    text.gsub(/(?<![:\w*,<-])#{ID}(?![,>])/) { |id| "<<norm:#{id},#{id}>>" }
        .gsub(/(?<![:\w*<-])(#{ID})(?=,[^>])/) { "<<norm:#{$1},#{$1}>>" }
  end

  def block(name, sentence, origin)
    role = sentence[LEVEL].to_s.split.first.to_s.downcase
    text = link(sentence).gsub(LEVEL) { |w| "[.#{role}]##{w}#" }
    from = origin ? " [.origin]_(#{link(origin.gsub("\n", ' '))})_" : ''
    "\n[#norm:#{name}.norm.#{role}%unbreakable]\n====\n[.id]##{name}# #{text}#{from}\n" \
      "====\n\n"
  end

  # A norm stays on the page of the rest of its paragraph.
  def keep(block, note)
    note.empty? ? block : "\n[%unbreakable]\n--#{block}#{link(note)}\n--\n\n"
  end

  def rewrite(text)
    parts = []
    rest = text
    while (found = NORM.match(rest))
      parts << link(found.pre_match)
      note = found.post_match[/\A[ \t]*\S.*?(?=\n\n|\n?\z)/m].to_s
      parts << keep(block(found[1], found[2], found[3]), note.strip)
      rest = found.post_match[note.size..].sub(/\A\s+(?=\S)/, '')
    end
    (parts << link(rest)).join.gsub(TORN) { "#{$1}%unbreakable#{$2}#{GAP}" }
  end
end

Asciidoctor::Extensions.register do
  include_processor do
    process do |doc, reader, target, attrs|
      path = File.expand_path target, doc.base_dir
      lines = FphNorms.rewrite(File.read(path, encoding: 'UTF-8')).split "\n"
      reader.push_include lines, path, target, 1, attrs
    end
  end

  block_macro do
    named 'list-of-tables'
    process do |parent, _target, _attrs|
      folder = File.join parent.document.base_dir, 'chapters'
      book = File.read File.join(parent.document.base_dir, 'fph-spec.adoc')
      lines = book.scan(/^include::chapters\/(.*?)\[\]/).flatten.flat_map do |f|
        File.read(File.join(folder, f), encoding: 'UTF-8')
            .scan(FphNorms::TABLE).map { |id, t| "* <<#{id},#{t}>>" }
      end
      parse_content parent, lines
      nil
    end
  end
end
