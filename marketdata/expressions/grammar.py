"""Reading the text of a feature by recursive descent: a closed language of its own, in which nothing can be called
that is not listed. Text, nesting and parts are bounded, so that reading and computing are.

    comparison = sum [("<" | "<=" | ">" | ">=" | "==" | "!=") sum]
    sum        = product {("+" | "-") product}
    product    = unary {("*" | "/") unary}
    unary      = "-" unary | number | "(" comparison ")" | name ["(" [arguments] ")"] ["@" timeframe]
"""

import re
from dataclasses import dataclass

from marketdata.expressions.tree import COMPARE, LEVELS, PRODUCT, SUM, Binary, Named, Negative, Node, Number, written

LONGEST, DEEPEST, MOST_NODES = 200, 12, 64
"""Characters of a text, brackets and signs inside each other, and parts of an expression."""

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)|(?P<number>[0-9]+(?:\.[0-9]+)?(?![0-9A-Za-z_.]))|(?P<name>[a-z_][a-z0-9_]*)"
    r"|(?P<sign><=|>=|==|!=|[<>+\-*/(),])|(?P<frame>@[ \t]*[a-z0-9]+)"
)


class GrammarError(ValueError):
    """The text is no expression; the message is one sentence that names the character, counted from 1."""


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    at: int


def read(text: str) -> Node:
    """The tree of a text. Raises GrammarError."""
    if len(text) > LONGEST:
        raise GrammarError(f"The text has {len(text)} characters; at most {LONGEST} are allowed.")
    parser = _Parser(_tokens(text), text)
    tree = parser.comparison(0)
    parser.end()
    return tree


def canonical_text(text: str) -> str:
    """The one way to write it: no spaces, no needless brackets or zeros. Raises GrammarError."""
    return written(read(text))


def _tokens(text: str) -> list[Token]:
    found, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise GrammarError(
                f"Feature {text!r} has {text[place]!r} at character {place + 1}, where a number, a name in small "
                "letters, an operator or a bracket would be right."
            )
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match[0], place + 1))
        place = match.end()
    return [*found, Token("end", "", len(text) + 1)]


def _shortest(digits: str) -> str:
    whole, _, part = digits.partition(".")
    part = part.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{part}" if part else "")


class _Parser:
    def __init__(self, tokens: list[Token], text: str) -> None:
        self._tokens, self._text = tokens, text
        self._place = self._nodes = 0

    @property
    def _now(self) -> Token:
        return self._tokens[self._place]

    def _take(self, *texts: str) -> Token | None:
        token = self._now
        if token.kind != "sign" or token.text not in texts:
            return None
        self._place += 1
        return token

    def _fault(self, right: str) -> GrammarError:
        token = self._now
        met = f"has {token.text!r}" if token.text else "ends"
        return GrammarError(f"Feature {self._text!r} {met} at character {token.at}, where {right} would be right.")

    def _counted(self, node: Node) -> Node:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise GrammarError(
                f"Feature {self._text!r} has more than {MOST_NODES} parts at character {node.at}; write less."
            )
        return node

    def end(self) -> None:
        if self._now.kind != "end":
            raise self._fault("an operator or the end")

    def comparison(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise GrammarError(f"Feature {self._text!r} is nested deeper than {DEEPEST} at character {self._now.at}.")
        left = self._chain(depth, SUM)
        sign = self._take(*(sign for sign, level in LEVELS.items() if level == COMPARE))
        return left if sign is None else self._counted(Binary(sign.text, left, self._chain(depth, SUM), sign.at))

    def _chain(self, depth: int, level: int) -> Node:
        def part() -> Node:
            return self._chain(depth, PRODUCT) if level == SUM else self._unary(depth)

        left = part()
        while sign := self._take(*(("+", "-") if level == SUM else ("*", "/"))):
            left = self._counted(Binary(sign.text, left, part(), sign.at))
        return left

    def _unary(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise GrammarError(f"Feature {self._text!r} is nested deeper than {DEEPEST} at character {self._now.at}.")
        token = self._now
        if self._take("-"):
            return self._counted(Negative(self._unary(depth + 1), token.at))
        if self._take("("):
            inside = self.comparison(depth + 1)
            if not self._take(")"):
                raise self._fault("a closing bracket")
            return inside
        if token.kind not in ("number", "name"):
            raise self._fault("a number, a name or an opening bracket")
        self._place += 1
        if token.kind == "number":
            return self._counted(Number(_shortest(token.text), token.at))
        return self._counted(self._named(token, depth))

    def _named(self, token: Token, depth: int) -> Named:
        args = self._arguments(depth + 1) if self._take("(") else None
        frame = ""
        if self._now.kind == "frame":
            frame = self._now.text[1:].strip()
            self._place += 1
        return Named(token.text, args, frame, token.at)

    def _arguments(self, depth: int) -> tuple[Node | None, ...]:
        """Up to the closing bracket; a parameter of an indicator may be left out, as in macd(12,,9)."""
        if self._take(")"):
            return ()
        args = [self._argument(depth)]
        while self._take(","):
            args.append(self._argument(depth))
        if not self._take(")"):
            raise self._fault("a comma or a closing bracket")
        return tuple(args)

    def _argument(self, depth: int) -> Node | None:
        empty = self._now.kind == "sign" and self._now.text in (",", ")")
        return None if empty else self.comparison(depth)
