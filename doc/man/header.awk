# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
#
# A part of a public header as AsciiDoc: comments become paragraphs, tables in
# them and code become literal blocks. So the manual says what the header says.
#
#	awk -v first=REGEX -v last=REGEX -f header.awk HEADER
#
# first, last: the part is what is before the first section of the header, and
# what is between the lines that match; the whole without.
# With -v names=1 prints only the names of its functions, one a line.

function literal_begin() { if (!literal) print "\n...."; literal = 1 }
function literal_end() { if (literal) print "....\n"; literal = 0 }

# A paragraph of a comment: text, or, with tabs or indented lines, a table.
function paragraph(   i, table) {
	for (i = 1; i <= n; i++)
		if (line[i] ~ /\t|^[ -]/)
			table = 1
	if (table)
		print "...."
	else if (n)
		print "[subs=specialcharacters]"
	for (i = 1; i <= n; i++)
		print line[i]
	if (table)
		print "...."
	if (n)
		print ""
	n = 0
}

function comment_line(text) {
	sub(/^ \* ?/, "", text)
	if (text ~ /^[ \t]*$/)
		paragraph()
	else
		line[++n] = text
}

BEGIN { on = 1; head = first != "" }
head && /^\/\* -+/ { on = 0 }
first != "" && !on && $0 ~ first { on = 1; head = 0; next }
on && last != "" && $0 ~ last { on = 0 }
!on { next }
names {
	# A declaration begins at FPH_API and names its function before a "(".
	if (/^FPH_API/)
		declaring = 1
	if (declaring && match($0, /fph_[a-z0-9_]+\(/)) {
		print substr($0, RSTART, RLENGTH - 1)
		declaring = 0
	}
	next
}
/^\/\* SPDX|^#(ifndef|ifdef|endif|include)|^#define FPH_[A-Z_]*_H$|^extern "C"|^}$/ { next }
/^\/\* -+/ { next }
/^\/\*.*\*\/$/ && !comment {
	literal_end()
	gsub(/^\/\* *| *\*\/$/, "")
	comment_line($0)
	paragraph()
	next
}
/^\/\*/ { literal_end(); comment = 1; sub(/^\/\* */, ""); if ($0 != "") comment_line($0); next }
comment && /\*\/$/ {
	sub(/ *\*\/$/, "")
	if ($0 != "")
		comment_line($0)
	paragraph()
	comment = 0
	next
}
comment { comment_line($0); next }
/^$/ { literal_end(); next }
{ literal_begin(); sub(/^FPH_API /, ""); print }
END { paragraph(); literal_end() }
