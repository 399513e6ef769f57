"""Plain words: the terms of the glossary in CONTRIBUTING, and none that this project once used instead."""

from __future__ import annotations

import re
import subprocess

from checks.check import ROOT, CheckFailed

# What once stood for the term on the right, in names, logs, errors, docs and tests alike.
_REPLACED = {
    r"told|tell(s|ing)? of": "report, notify, say",
    r"heed(s|ed|ing)?": "handle, observe, obey",
    r"lest": "so that ... not",
    r"who(m)?ever": "the owner, the caller, any consumer",
    r"(?<!\")(some|no)body('s)?(?!\")": "name who: the caller, no consumer, another member",
    r"in hand": "in flight, leased",
    r"(becomes?|became) of": "happens to, happened to",
    r"put(s|ting)? aside": "dead-letter",
    r"of no use": "unusable, failed",
    r"for ever": "forever, without limit",
    r"(?<!dead )(?<!dead-)(?<!dead_)(?<!to the )(?<!the )letters?(?! of)": "dead letter",
    r"arms?": "payload field",
    r"moments?(?! later)": "time",
    r"whims?|rhythm|keepsake|mailbox|courier|telling|tally": "what it does, by the field's noun",
    r"homeless|worn[-_ ]out": "no-origin-topic, max-redrives",
}
_WORDS = re.compile(
    "|".join(rf"(?P<w{number}>(?<![A-Za-z])(?:{old})(?![A-Za-z]))" for number, old in enumerate(_REPLACED)),
    re.IGNORECASE,
)
_PLAIN = tuple(_REPLACED.values())
# Generated, recorded and third-party texts, the history of names, and this list.
_EXEMPT = re.compile(
    r"^(CHANGELOG\.md|LICENSE|scripts/checks/words\.py|tests/golden/\d|.*/v1/|.*\.(json|bin|lock|svg)$)"
)


def plain_words(_scratch: object) -> None:
    """Find replaced words in every text of the tree.

    Raises:
        CheckFailed: with each place, and what to write instead.
    """
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    found = [
        f"{path}:{number}: {match.group()!r}: {_PLAIN[int((match.lastgroup or 'w0')[1:])]}"
        for path in listed.stdout.split("\0")
        if path and not _EXEMPT.match(path)
        for number, line in enumerate(_joined(_lines(path)), 1)
        for match in _WORDS.finditer(line)
    ]
    if found:
        raise CheckFailed("\n".join([*found, f"{len(found)} words: see the glossary in CONTRIBUTING.md"]))


def _joined(lines: list[str]) -> list[str]:
    """Each line, with the last word of the one before where a term may be broken between them."""
    joined = []
    for previous, line in zip(["", *lines], lines, strict=False):
        is_broken = re.search(r"\b(dead|the)\W*$", previous)
        joined.append(re.sub(r"^\W*", f"{previous.split()[-1]} ", line) if is_broken else line)
    return joined


def _lines(path: str) -> list[str]:
    try:
        return (ROOT / path).read_text("utf-8").splitlines()
    except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
        return []
