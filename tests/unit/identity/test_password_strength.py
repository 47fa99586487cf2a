"""How hard are passwords to guess, for a stranger and for who knows the person (ASVS 6.2.4, 6.2.7)?"""

import asyncio
from typing import Any

import pytest
from zxcvbn import zxcvbn

from domain.identity.passwords import words_about
from persistence import password_strength
from persistence.password_strength import ZxcvbnJudge, judged

ADA = words_about("ada.lovelace@analytical.example", "Augusta Ada", "Lovelace")


@pytest.mark.parametrize(
    "password", ["password1234", "qwertyuiop12", "aaaaaaaaaaaaaaa", "tocsin-tocsin", "1234567890123"]
)
def test_what_everybody_tries_is_easy(password: str) -> None:
    strength = judged(password, ADA)
    assert strength.score < 3
    assert strength.suggestions


@pytest.mark.parametrize(
    "password", ["Lovelace1815", "ada.lovelace1", "analytical!1", "ada.lovelace@analytical.example"]
)
def test_what_is_known_of_the_person_is_easy_too(password: str) -> None:
    assert judged(password, ADA).score < 3


@pytest.mark.parametrize(
    "password", ["correct horse battery", "violet anchor nine meadow", "k7#Qv!x9Lw2p", "日本語のながいことば山"]
)
def test_a_few_words_or_chance_are_hard(password: str) -> None:
    assert judged(password, ADA).score >= 3


def test_a_weak_beginning_does_not_hide_a_strong_end() -> None:
    assert judged("a" * 24, ()).score < 3
    assert judged("a" * 24 + "k7#Qv!x9Lw2pZt4mB8rN", ()).score >= 3


def test_text_made_to_take_long_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resource exhaustion (API4:2023): whole, it takes seconds of one core."""
    looked_at: list[int] = []

    def estimate(password: str, user_inputs: list[str]) -> dict[str, Any]:
        looked_at.append(len(password))
        found: dict[str, Any] = zxcvbn(password, user_inputs=user_inputs)
        return found

    monkeypatch.setattr(password_strength, "zxcvbn", estimate)
    hard = "4@8({[<36|1!7$+0%2z" * 60
    for password in (hard[:72], hard[:1024]):
        assert judged(password, ()).score >= 3
    assert looked_at == [24, 24]
    assert judged("a" * 24 + hard, ()).score >= 3
    assert judged("a" * 1024, ()).score < 3
    assert looked_at[2:] == [24, 48, 24, 48, 72]


async def test_people_are_judged_one_after_the_other_by_their_own_words() -> None:
    judge = ZxcvbnJudge()
    try:
        people = [(f"person{number}zebra@x.example", f"person{number}zebra1") for number in range(6)]
        found = await asyncio.gather(
            *(judge.judge(password, about=words_about(email)) for email, password in people),
            judge.judge("person0zebra1", about=()),
        )
        *own, stranger = [strength.score for strength in found]
        assert max(own) < stranger
    finally:
        judge.close()
