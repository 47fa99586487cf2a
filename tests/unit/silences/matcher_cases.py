"""Texts and what Alertmanager reads in them; the same table is put to the real binary in tests/e2e."""

from typing import NamedTuple


class Accepted(NamedTuple):
    """A text and the matchers it means, as (name, operator, value)."""

    text: str
    matchers: tuple[tuple[str, str, str], ...]


# Read by every version of Alertmanager, 0.25 included.
CLASSIC = (
    Accepted("", ()),
    Accepted("{}", ()),
    Accepted('severity="critical"', (("severity", "=", "critical"),)),
    Accepted("severity=critical", (("severity", "=", "critical"),)),
    Accepted('{severity!="info"}', (("severity", "!=", "info"),)),
    Accepted('instance=~"db-.*"', (("instance", "=~", "db-.*"),)),
    Accepted("instance!~db-[0-9]+", (("instance", "!~", "db-[0-9]+"),)),
    Accepted('a="1",b=~"2|3"', (("a", "=", "1"), ("b", "=~", "2|3"))),
    Accepted('{a="1", b!="2",c!~"3"}', (("a", "=", "1"), ("b", "!=", "2"), ("c", "!~", "3"))),
    Accepted('  a = "1" ,  b != "2" , ', (("a", "=", "1"), ("b", "!=", "2"))),
    Accepted('{a="1",}', (("a", "=", "1"),)),
    Accepted('a="x,y"', (("a", "=", "x,y"),)),
    Accepted('a=""', (("a", "=", ""),)),
    Accepted("a=", (("a", "=", ""),)),
    Accepted("a==b", (("a", "=", "=b"),)),
    Accepted("a=~~b", (("a", "=~", "~b"),)),
    Accepted(r'a="say \"hi\", now"', (("a", "=", 'say "hi", now'),)),
    Accepted(r'a="back\\slash"', (("a", "=", "back\\slash"),)),
    Accepted(r'a="line\nbreak"', (("a", "=", "line\nbreak"),)),
    Accepted(r'a="not\ta\d"', (("a", "=", "not\\ta\\d"),)),
    Accepted(r"a=ends\\", (("a", "=", "ends\\"),)),
    Accepted(r"a=\"", (("a", "=", '"'),)),
    Accepted("a='single'", (("a", "=", "'single'"),)),
    Accepted("a=b}}", (("a", "=", "b}"),)),
    Accepted("job:rate5m=~up", (("job:rate5m", "=~", "up"),)),
    Accepted('a="läuft 🔔"', (("a", "=", "läuft 🔔"),)),
)

# Read by the newer syntax alone (0.27 and later): names beyond the classic alphabet, Go's escapes around a quoted name.
UTF8_ONLY = (
    Accepted('"host.name"="db"', (("host.name", "=", "db"),)),
    Accepted('{"host.name"=~"db-.*",}', (("host.name", "=~", "db-.*"),)),
    Accepted("host.name=db", (("host.name", "=", "db"),)),
    Accepted("with-dash!=x", (("with-dash", "!=", "x"),)),
    Accepted("größe=klein", (("größe", "=", "klein"),)),
    Accepted('"a b"="c",d=e', (("a b", "=", "c"), ("d", "=", "e"))),
    Accepted(r'"a"="tab\there"', (("a", "=", "tab\there"),)),
    Accepted(r'"a"="\xf0\x9f\x94\x94"', (("a", "=", "🔔"),)),
    Accepted(r'"a"="\u00e4\U0001f514"', (("a", "=", "ä🔔"),)),
    Accepted(r'"a"="\101\"\\"', (("a", "=", 'A"\\'),)),
    Accepted('{ "a" = "b" }', (("a", "=", "b"),)),
)

# Read by no version.
REFUSED = (
    ",",
    "{,}",
    "a",
    "=b",
    "a=b,,c=d",
    'a="open',
    'a=closed"',
    'a=mid"dle',
    'a="b"c',
    '"a=\\"b"',
    '"a=\\"b\\""',
    "a=~[",
    "a=~(",
    "a!~*",
    'a=~"x{2000}"',
)

# Refused by the newer syntax, and no classic text either: the name is quoted.
REFUSED_UTF8 = (
    '{"a"="b"',
    '"a"="b"}',
    '{"a"="b"}}',
    '"a"="b" "c"="d"',
    '"a"',
    '"a"=',
    '""="b"',
    '"a"="b',
    '"a"="b\nc"',
    r'"a"="\w"',
    r'"a"="\x4"',
    r'"a"="\ud800"',
    r'"a"="\xf0\x9f"',
    r'"a"=b\n',
    "\"a\"='b'",
)
