"""Is every way of tampering with sealed rows, seals and heads found, and the row named?"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from domain.audit.canonical import COLUMNS, ROW_FORM, canonical
from domain.audit.heads import BadHead, check_head, head_line, read_head
from domain.audit.sealing import Kept, Place, Seal, StoredRow, seal_of, seal_rows
from domain.audit.verification import ChainCheck, Finding, FindingKind, Trust
from persistence.audit_keys import AuditKey, is_signed

KEY, OTHER_KEY = AuditKey(bytes(range(32))), AuditKey(bytes(32))
TRUST = Trust(frozenset({KEY.public}), is_signed)
NOW = datetime(2026, 11, 26, 3, 4, 5, 678, tzinfo=UTC)
FIRST = UUID(int=1)


def row(number: int, **changed: str) -> StoredRow:
    """A row that differs from others by its number."""
    values: dict[str, str | None] = dict.fromkeys(COLUMNS)
    values |= {"id": str(UUID(int=number)), "action": f"action {number}", "actor_kind": "user", **changed}
    return StoredRow(Place(1, 700 + number, number), [values[name] for name in COLUMNS])


def rows(*numbers: int) -> list[StoredRow]:
    return [row(number) for number in numbers]


def chain(*runs: Sequence[StoredRow]) -> list[tuple[Seal, list[StoredRow], Kept]]:
    """A seal for each run."""
    made: list[tuple[Seal, list[StoredRow], Kept]] = []
    for place, run in enumerate(runs):
        last = made[-1][0] if made else None
        seal, kept = seal_rows(run, after=last, key=KEY, now=NOW + timedelta(minutes=place))
        made.append((seal, list(run), kept))
    return made


def findings(made: Sequence[tuple[Seal, Sequence[StoredRow], Kept]], trust: Trust = TRUST) -> list[Finding]:
    check = ChainCheck(trust)
    return [finding for seal, run, kept in made for finding in check.check(seal, run, kept)]


def kinds(made: Sequence[tuple[Seal, Sequence[StoredRow], Kept]], trust: Trust = TRUST) -> set[FindingKind]:
    return {finding.kind for finding in findings(made, trust)}


def test_what_was_sealed_is_as_it_was_sealed() -> None:
    made = chain(rows(1), rows(2, 3, 4), rows(*range(5, 30)))
    check = ChainCheck(TRUST)
    assert [finding for run in made for finding in check.check(*run)] == []
    assert (check.seals, check.rows) == (3, 29)
    assert [seal.first_row for seal, _, _ in made] == [0, 1, 4]


@pytest.mark.parametrize(
    ("tamper", "kind", "named"),
    [
        (lambda run: [run[0], row(3, outcome="refused"), *run[2:]], FindingKind.CHANGED, 3),
        (lambda run: [run[0], *run[2:]], FindingKind.REMOVED, 3),
        (lambda run: [*run[:2], row(99), *run[2:]], FindingKind.INSERTED, 99),
        (lambda run: [run[0], run[2], run[1], *run[3:]], FindingKind.MOVED, None),
        (lambda run: [*run, run[1]], FindingKind.INSERTED, 3),
    ],
    ids=["changed", "removed", "inserted", "reordered", "copied"],
)
def test_a_row_that_was_tampered_with_is_named(
    tamper: Callable[[list[StoredRow]], list[StoredRow]], kind: FindingKind, named: int | None
) -> None:
    first, (seal, run, kept), last = chain(rows(1), rows(2, 3, 4, 5, 6), rows(7))
    (finding,) = findings([first, (seal, tamper(run), kept), last])
    assert (finding.kind, finding.seal) == (kind, 2)
    if named is not None:
        assert finding.row == UUID(int=named)
    else:
        assert finding.row in {UUID(int=3), UUID(int=4)}
    assert "seal 2" in str(finding)
    assert str(finding.row) in str(finding)


@given(st.permutations(list(range(2, 12))))
def test_of_moved_rows_the_fewest_are_named(order: list[int]) -> None:
    (seal, run, kept) = chain(rows(*range(2, 12)))[0]
    moved = {finding.row for finding in findings([(seal, [run[number - 2] for number in order], kept)])}
    staying = [number for number in order if UUID(int=number) not in moved]
    assert staying == sorted(staying)
    assert bool(moved) is (order != sorted(order))


def test_a_row_changed_with_its_leaf_hash_is_found_and_the_seal_named() -> None:
    ((seal, run, kept),) = chain(rows(1, 2, 3))
    forged = row(2, outcome="done")
    leaves = (kept.leaves[0], forged.leaf, kept.leaves[2])
    found = findings([(seal, [run[0], forged, run[2]], Kept(kept.ids, leaves))])
    assert [(one.kind, one.seal) for one in found] == [(FindingKind.LEAVES, 1)]


@pytest.mark.parametrize("kept", [Kept((), ()), Kept((FIRST,), (bytes(32),))])
def test_leaf_hashes_that_were_changed_alone_are_found(kept: Kept) -> None:
    ((seal, run, _),) = chain(rows(1, 2))
    assert kinds([(seal, run, kept)]) == {FindingKind.LEAVES}


def test_a_seal_that_is_gone_is_named_by_its_number() -> None:
    first, _, third = chain(rows(1), rows(2), rows(3))
    (finding,) = [one for one in findings([first, third]) if one.kind is FindingKind.MISSING_SEAL]
    assert "seal 2 should come" in finding.detail
    (finding,) = [one for one in findings([third]) if one.kind is FindingKind.MISSING_SEAL]
    assert "seal 1 to 2 should come" in finding.detail


def test_a_seal_made_anew_without_the_key_does_not_pass() -> None:
    """Who may write the database but has no key: the row, its leaf, its root, and a signature of another key."""
    first, (_, run, _), third = chain(rows(1), rows(2), rows(3))
    forged, kept = seal_rows([row(2, action="nothing")], after=first[0], key=OTHER_KEY, now=NOW)
    assert kinds([first, (forged, [row(2, action="nothing")], kept), third]) == {
        FindingKind.UNKNOWN_KEY,
        FindingKind.CHAIN,
    }
    as_ours = replace(forged, key=KEY.public)
    assert FindingKind.SIGNATURE in kinds([first, (as_ours, run, kept), third])


@pytest.mark.parametrize(
    "change",
    [
        {"number": 2},
        {"first_row": 7},
        {"row_count": 2},
        {"root": bytes(32)},
        {"previous": bytes(32)},
        {"sealed_at": NOW - timedelta(days=1)},
        {"last": Place(1, 1, 1)},
        {"signature": bytes(64)},
        {"signature": b""},
        {"key": b"no key"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_no_field_of_a_seal_can_be_changed(change: dict[str, object]) -> None:
    ((seal, run, kept),) = chain(rows(1))
    assert FindingKind.SIGNATURE in kinds([(replace(seal, **change), run, kept)])  # type: ignore[arg-type]


def test_an_unknown_key_is_told_once_and_counts_when_it_is_named() -> None:
    made = chain(rows(1), rows(2))
    nobody = Trust(frozenset(), is_signed)
    assert [finding.kind for finding in findings(made, nobody)] == [FindingKind.UNKNOWN_KEY]
    assert findings(made, Trust(frozenset({KEY.public, OTHER_KEY.public}), is_signed)) == []


def test_a_part_is_checked_from_the_seal_before_it() -> None:
    first, second, third = chain(rows(1), rows(2), rows(3))
    check = ChainCheck(TRUST, before=first[0])
    assert [finding for run in (second, third) for finding in check.check(*run)] == []
    other = ChainCheck(TRUST, before=replace(first[0], root=bytes(32)))
    assert [finding.kind for finding in other.check(*second)] == [FindingKind.CHAIN]


# --- The forms that others read ----------------------------------------------------------------------------------


def test_the_bytes_of_a_row_are_what_the_documented_line_of_python_gives() -> None:
    """The procedure of docs/audit.md, by the standard library alone."""
    made = row(1, action='quotes " and \\ and \n', target_kind="ü € 🔔 \x7f", request_id="\u2028")
    by_hand = json.dumps([ROW_FORM, *made.columns], ensure_ascii=False, separators=(",", ":")).encode()
    assert canonical((ROW_FORM, *made.columns)) == by_hand


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]))))
def test_any_text_has_the_same_bytes_by_both(values: list[str | None]) -> None:
    assert canonical(values) == json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def test_a_head_is_read_as_it_was_written() -> None:
    ((seal, _, _),) = chain(rows(1, 2))
    line = head_line(seal)
    assert line.count(b"\n") == 1
    assert read_head(line) == seal
    assert seal_of(seal.fields, seal.signature) == seal
    # A signature by the very bytes of the line: what an auditor checks without this program.
    content = json.dumps(json.loads(line)["seal"], separators=(",", ":")).encode()
    Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().verify(seal.signature, content)


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"[]", b"{", b'{"seal": [], "signature": ""}', b'{"seal": "x", "signature": 1}']
)
def test_what_is_no_head_says_which_line_it_is(line: bytes) -> None:
    with pytest.raises(BadHead, match="line 7 holds no head"):
        read_head(line, number=7)


# --- Heads outside -----------------------------------------------------------------------------------------------


def judged(head: Seal, kept: Seal | None, *, era: int = 1, accepted: int = 0) -> list[FindingKind]:
    found = check_head(head, kept, current_era=era, accepted_era=accepted, trust=TRUST)
    return [finding.kind for finding in found]


def test_heads_outside_tell_of_a_cut_tail_and_of_another_head() -> None:
    (first, _, _), (second, _, _) = chain(rows(1), rows(2))
    assert judged(second, second) == []
    assert judged(second, None) == [FindingKind.CUT_TAIL]
    rewound, _ = seal_rows(rows(3), after=first, key=KEY, now=NOW)
    assert judged(second, rewound) == [FindingKind.OTHER_HEAD]
    assert judged(replace(second, root=bytes(32)), second) == [FindingKind.SIGNATURE]


def test_what_a_restore_lost_is_told_until_somebody_knows_of_the_restore() -> None:
    (first, _, _), (second, _, _) = chain(rows(1), rows(2))
    later = [StoredRow(Place(2, 5, 9), row(9).columns)]
    anew, _ = seal_rows(later, after=first, key=KEY, now=NOW)
    assert judged(second, anew) == [FindingKind.LOST_IN_RESTORE]
    assert judged(second, anew, accepted=2) == []
    assert judged(second, None, era=2) == [FindingKind.LOST_IN_RESTORE]
    assert judged(second, None, era=2, accepted=2) == []
    assert judged(second, None, era=3, accepted=2) == [FindingKind.LOST_IN_RESTORE]
