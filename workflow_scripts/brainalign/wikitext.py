"""WikiText as it is distributed: articles one after another, split into words ("( 1.5 metres ) @-@ wide").

Merity et al. 2016 (arXiv 1609.07843): WikiText-2 and WikiText-103, each article headed by a line " = Title = ".
"""

import re

_TITLE = re.compile(r" ?= [^=\s](?:[^=]*[^=\s])? = ?")
_SEPARATORS = {" @-@ ": "-", " @,@ ": ",", " @.@ ": "."}
_PUNCTUATION = {" : ": ": ", " ; ": "; ", " . ": ". ", " ! ": "! ", " ? ": "? ", " , ": ", "}
_ENCLOSED = (
    (re.compile(r"\(\s*([^\)]*?)\s*\)"), r"(\1)"),
    (re.compile(r"\[\s*([^\]]*?)\s*\]"), r"[\1]"),
    (re.compile(r"{\s*([^}]*?)\s*}"), r"{\1}"),
    (re.compile(r"\"\s*([^\"]*?)\s*\""), r'"\1"'),
    (re.compile(r"'\s*([^']*?)\s*'"), r"'\1'"),
)
_REST = {
    "= = = =": "====",
    "= = =": "===",
    "= =": "==",
    " ° ": "°",
    " \n": "\n",
    "\n ": "\n",
    " N ": " 1 ",
    " 's": "'s",
}


def articles(text: str) -> list[str]:
    """Cut a WikiText file into its articles, character for character: joined, they are all from the first title on.

    A title is a line with one equals sign at each end and none inside, between blank lines.

    >>> articles(" \\n = One = \\n \\n A . \\n = = Part = = \\n \\n = Two = \\n \\n B . \\n")
    [' = One = \\n \\n A . \\n = = Part = = \\n \\n', ' = Two = \\n \\n B . \\n']
    """
    lines = text.splitlines(keepends=True)
    blank = [not line.strip() for line in lines]
    begins = [
        number
        for number, line in enumerate(lines)
        if _TITLE.fullmatch(line.rstrip("\n"))
        and (number == 0 or blank[number - 1])
        and (number + 1 == len(lines) or blank[number + 1])
    ]
    stops = [*begins[1:], len(lines)]
    return ["".join(lines[begin:stop]) for begin, stop in zip(begins, stops, strict=False)]


def detokenise(text: str) -> str:
    """Undo WikiText's splitting into words, by the rules of Megatron-LM that lm-evaluation-harness uses (wikitext v2).

    >>> detokenise("He won 1 @,@ 000 metres ( 3 @,@ 300 ft ) , \\" easily \\" .\\n")
    'He won 1,000 metres (3,300 ft), "easily" .\\n'
    """
    text = text.replace("s '", "s'")
    for split, whole in (_SEPARATORS | _PUNCTUATION).items():
        text = text.replace(split, whole)
    for pattern, enclosed in _ENCLOSED:
        text = pattern.sub(enclosed, text)
    for split, whole in _REST.items():
        text = text.replace(split, whole)
    return text
