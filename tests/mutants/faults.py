# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Mechanical faults of a C file: small changes that a test should find.

It knows just enough of C for the style of this tree: the bodies of functions,
operators, numbers, conditions and statements.  What a change breaks so that it
does not compile does not count.
"""
import re

TOKEN = re.compile(r"""
    (?P<comment>/\*.*?\*/|//[^\n]*)
  | (?P<pre>^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)
  | (?P<str>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<num>0[xX][0-9a-fA-F]+[uUlL]*|[0-9]+[uUlL]*)
  | (?P<id>[A-Za-z_]\w*)
  | (?P<op><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)
""", re.X | re.S | re.M)

SWAPS = {
    "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"),
    "==": ("!=",), "!=": ("==",), "&&": ("||",), "||": ("&&",),
    "+=": ("-=",), "-=": ("+=",), "++": ("--",), "--": ("++",),
    "<<": (">>",), ">>": ("<<",), "|=": ("&=",), "!": ("",),
}
BINARY = {"+": "-", "-": "+", "&": "|", "|": "&"}
BARRIERS = {"fph_rmb", "fph_wmb", "fph_mb", "fph_compiler_barrier"}
TYPES = {"uint8_t", "uint16_t", "uint32_t", "uint64_t", "int", "bool",
         "size_t", "ssize_t", "const", "struct", "static", "void", "unsigned",
         "enum", "uintptr_t", "char", "long"}
KEYWORDS = {"if", "while", "for", "switch", "do", "else", "case", "default",
            "break", "continue", "goto"}
PAIRS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = set(PAIRS.values())


class Token:
    """A token: its kind, its text and where it is."""

    def __init__(self, match):
        self.kind, self.text = match.lastgroup, match.group()
        self.pos, self.end = match.span()


class Source:
    """A file as tokens, and the faults that can be made in it."""

    def __init__(self, text):
        self.text = text
        self.toks = [Token(m) for m in TOKEN.finditer(text)
                     if m.lastgroup != "comment" and not m.group().isspace()]
        self.found = []

    def closer(self, i):
        """The index of what closes the bracket at i."""
        depth = 0
        for j in range(i, len(self.toks)):
            if self.toks[j].text in PAIRS:
                depth += 1
            elif self.toks[j].text in CLOSERS:
                depth -= 1
                if not depth:
                    return j
        raise ValueError("a bracket is not closed")

    def opener(self, i):
        """The index of what opens the bracket that is closed at i."""
        depth = 0
        for j in range(i, -1, -1):
            if self.toks[j].text in CLOSERS:
                depth += 1
            elif self.toks[j].text in PAIRS:
                depth -= 1
                if not depth:
                    return j
        raise ValueError("a bracket is not opened")

    def bodies(self):
        """The indices of all tokens in bodies of functions."""
        i, inside = 0, []
        while i < len(self.toks):
            if self.toks[i].text == "{":
                end = self.closer(i)
                if self.toks[i - 1].text == ")":
                    inside += range(i + 1, end)
                i = end
            i += 1
        return inside

    def add(self, start, end, new):
        """A fault: what is between start and end becomes new."""
        if self.text[start:end] != new:
            self.found.append((start, end, new))

    def faults(self):
        """All of them: (start, end, what stands there instead)."""
        for i in self.bodies():
            tok = self.toks[i]
            if tok.kind == "op":
                self.operator(i)
            elif tok.kind == "num":
                self.number(tok)
            elif tok.kind == "id":
                self.word(i)
            if tok.kind != "pre" and self.begins_statement(i):
                self.statement(i)
        return self.found

    def operator(self, i):
        """Another operator."""
        tok = self.toks[i]
        for new in SWAPS.get(tok.text, ()):
            self.add(tok.pos, tok.end, new)
        if tok.text in BINARY and self.is_binary(i):
            self.add(tok.pos, tok.end, BINARY[tok.text])

    def is_binary(self, i):
        """Whether the operator at i has a left operand; a cast is none."""
        before = self.toks[i - 1]
        if before.kind == "id":
            return before.text not in ("return", "case", "sizeof")
        if before.kind in ("num", "str") or before.text == "]":
            return True
        if before.text != ")":
            return False
        j = self.opener(i - 1)
        inner = self.toks[j + 1:i - 1]
        return not (inner and inner[0].text in TYPES and
                    self.toks[j - 1].text != "sizeof")

    def number(self, tok):
        """0, 1 and one more."""
        digits = tok.text.rstrip("uUlL")
        value = int(digits, 16 if digits[:2].lower() == "0x" else 10)
        for new in sorted({0, 1, value + 1} - {value}):
            self.add(tok.pos, tok.end, "%d%s" % (new, tok.text[len(digits):]))

    def word(self, i):
        """Conditions, jumps and barriers."""
        tok, behind = self.toks[i], self.toks[i + 1]
        other = {"true": "false", "false": "true", "break": "continue",
                 "continue": "break"}
        if tok.text in other:
            self.add(tok.pos, tok.end, other[tok.text])
        elif behind.text != "(":
            return
        elif tok.text in BARRIERS:
            self.add(tok.pos, self.toks[self.closer(i + 1)].end, "(void)0")
        elif tok.text in ("if", "while"):
            end = self.closer(i + 1)
            inner = self.text[behind.end:self.toks[end].pos]
            # What operators make too is left to them.
            if re.search(r"&&|\|\|", inner) or \
                    not re.search(r"^!|[=!]=", inner):
                self.add(behind.end, self.toks[end].pos, "!(%s)" % inner)
        elif tok.text == "for":
            semi = [self.toks[j] for j in range(i, self.closer(i + 1))
                    if self.toks[j].text == ";"]
            inner = self.text[semi[0].end:semi[1].pos].strip()
            if inner:
                self.add(semi[0].end, semi[1].pos, " !(%s)" % inner)

    def begins_statement(self, i):
        """Whether a statement begins at i."""
        before = self.toks[i - 1]
        if before.text in (";", "{", "}", "else", "do"):
            return not self.is_in_head(i)
        if before.text == ")":
            j = self.opener(i - 1)
            return self.toks[j - 1].text in ("if", "while", "for", "switch")
        return before.text == ":" and self.toks[i - 2].text != "?"

    def is_in_head(self, i):
        """Whether i is in the head of a for."""
        depth = 0
        for j in range(i - 1, -1, -1):
            if self.toks[j].text in CLOSERS:
                depth += 1
            elif self.toks[j].text in PAIRS:
                if not depth:
                    return self.toks[j].text == "("
                depth -= 1
        return False

    def statement(self, i):
        """It is deleted, or returns something else."""
        tok = self.toks[i]
        if tok.text in KEYWORDS or tok.text in CLOSERS or tok.text in "{;.":
            return
        if tok.text in TYPES and tok.text != "void":
            return
        depth, end = 0, None
        for j in range(i, len(self.toks)):
            if self.toks[j].text in PAIRS:
                depth += 1
            elif self.toks[j].text in CLOSERS:
                depth -= 1
                if depth < 0:
                    return
            elif self.toks[j].text == ";" and not depth:
                end = j
                break
        if end is None or \
                any(t.text in BARRIERS for t in self.toks[i:end]):
            return
        if tok.text != "return":
            self.add(tok.pos, self.toks[end].pos, "")
            return
        value = self.text[tok.end:self.toks[end].pos].strip()
        if not value:
            self.add(tok.pos, self.toks[end].pos, "")
        elif value not in ("true", "false", "0", "1", "-1", "NULL"):
            self.add(tok.pos, self.toks[end].pos, "return " + instead(value))


def instead(value):
    """What a function returns in place of value."""
    if value == "FPH_OK":
        return "FPH_EINVAL"
    return "FPH_OK" if re.fullmatch(r"FPH_(E|PEER)\w+", value) else "0"


def faults_of(text):
    """The faults of a file: (start, end, what stands there instead)."""
    return Source(text).faults()
