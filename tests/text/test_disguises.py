"""Sentences, characters, swaps and normalisation; and the checker of what a person can still read."""

import string
import unicodedata

import numpy as np
import pytest
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from advcourse import data
from advcourse.text import characters, swaps
from advcourse.text.lookalikes import LOOKALIKES, skeleton
from advcourse.text.normalise import NormalisedFilter, joined, normalise
from advcourse.text.readable import unreadable
from advcourse.text.sentences import best_sentences, greeted, with_sentences
from advcourse.text.tokens import tokens, words
from tests.data.test_texts import needs_sms

HOW = (characters.homoglyphs, characters.full_width, characters.zero_width, characters.spaced, characters.leet)


def drawn(letter):
    """The letter in black and white."""
    image = Image.new("L", (60, 60))
    font = ImageFont.truetype(findfont("DejaVu Sans"), 40)
    ImageDraw.Draw(image).text((10, 5), letter, font=font, fill=255)
    return np.asarray(image) / 255


def test_every_lookalike_looks_alike():
    """Of all Latin letters it is drawn most like its own; for the few where this font has ideas of its own, by name."""
    latin = {letter: drawn(letter) for letter in string.ascii_letters}
    named = {"CYRILLIC SMALL LETTER KOMI DE": "d", "CYRILLIC CAPITAL LETTER KA": "K", "GREEK SMALL LETTER ALPHA": "a",
             "GREEK SMALL LETTER UPSILON": "u", "GREEK SMALL LETTER CHI": "x", "GREEK SMALL LETTER IOTA": "i"}
    for foreign, own in LOOKALIKES.items():
        nearest = min(latin, key=lambda letter: np.abs(latin[letter] - drawn(foreign)).sum())
        assert own == named.get(unicodedata.name(foreign), nearest)


def test_every_lookalike_is_a_foreign_letter_of_the_same_case():
    for foreign, latin in LOOKALIKES.items():
        assert latin.isascii() and latin.isalpha() and not foreign.isascii()
        assert unicodedata.name(foreign).split()[0] in ("CYRILLIC", "GREEK")
        assert foreign.islower() == latin.islower()
    assert len(LOOKALIKES) == 50


def test_disguised_words_are_unknown_and_the_rest_stays_to_the_letter(toy):
    text = "FREE! go,free 100% (win)"
    spelled = ("FR\u0415\u0415", "\uff26\uff32\uff25\uff25", "F\u200bR\u200bE\u200bE", "F R E E", "FR33")
    for how, wanted in zip(HOW, spelled, strict=True):
        disguised = characters.disguise(text, {"free"}, how)
        assert disguised == f"{wanted}! go,{how('free')} 100% (win)"
        assert "free" not in words(disguised) and {"win", "go"} <= words(disguised)
    assert characters.disguise(text, {"free", "win"}, str) == text
    assert characters.disguise(text, set(), characters.leet) == text


def test_the_worst_words_of_a_text(toy):
    assert characters.worst_words(toy, "win a free home 100", 1) == ["free"]
    assert characters.worst_words(toy, "win a free home 100", 9) == ["free", "win"]


def test_nfkc_alone_undoes_width_and_neither_cyrillic_nor_what_has_no_width():
    """TextAttack 371, garak 1867, Petasos 41: what NFKC is believed to do, and does not."""
    for how, undone in ((characters.full_width, True), (characters.homoglyphs, False), (characters.zero_width, False)):
        assert (unicodedata.normalize("NFKC", how("space")) == "space") == undone
        assert normalise(how("space")) == "space"
    assert len(unicodedata.normalize("NFKC", "fr\u200bee")) == 5


def test_normalising_keeps_what_counts():
    for text in ("£5 für ½ & 2", "it's 100% OK?!", "naïve"):
        assert normalise(text) == unicodedata.normalize("NFKC", text)
    assert normalise("ﬁve ⑤") == "five 5"
    once = normalise("\u017f\u200b\uff21\u0430")
    assert once == normalise(once) == "sAa"


@needs_sms
def test_normalising_changes_no_verdict_on_real_ham(svm):
    ham = data.cleaned(data.load("sms-spam")).ham
    assert np.array_equal(NormalisedFilter(svm).is_spam(ham), svm.is_spam(ham))
    assert len({normalise(text) for text in ham}) == len(ham)


def test_spaced_words_are_joined():
    assert joined("get f r e e stuff a b") == "get free stuff a b"
    assert joined("I a m") == "Iam", "where words are short, their ends are lost"


def test_disguises_pass_and_normalisation_stops_them(bayes, svm, parts):
    spam = parts[1].spam
    for judge in (bayes, svm):
        blocked = judge.is_spam(spam)
        guarded = NormalisedFilter(judge)
        for how in HOW[:3]:
            sent = [characters.disguise(text, characters.worst_words(judge, text, 5), how) for text in spam]
            assert not guarded.is_spam(sent)[~blocked].any() and guarded.is_spam(sent)[blocked].all()
        sent = [characters.disguise(text, characters.worst_words(judge, text, 5), HOW[0]) for text in spam]
        assert 0.1 < (~judge.is_spam(sent))[blocked].mean() < 0.8


def test_sentences_are_different_and_drawn_for_each():
    sent = with_sentences(["a", "b", "c"], ["x", "y", "z"], 2, seed=1)
    assert [text[0] for text in sent] == ["a", "b", "c"] and all(len(set(text.split())) == 3 for text in sent)
    assert len({text[1:] for text in with_sentences(["a"] * 40, ["x", "y", "z"], 2)}) == 6
    assert sent == with_sentences(["a", "b", "c"], ["x", "y", "z"], 2, seed=1)
    with pytest.raises(ValueError, match="4 different sentences are wanted, and there are 3"):
        with_sentences(["a"], ["x", "y", "z"], 4)


def test_chosen_sentences_pass_more_often_than_random_ones_and_greetings_hardly(bayes, parts):
    _, send, own = parts
    blocked = [text for text in send.spam if bayes.is_spam([text])[0]]
    best = best_sentences(bayes.is_spam, [text for text in own.spam if bayes.is_spam([text])[0]][:20], own.ham)
    assert sorted(best) == sorted(own.ham)
    passing = [(~bayes.is_spam(with_sentences(blocked, pool, 1))).mean() for pool in (best[:10], own.ham)]
    assert passing[0] > passing[1] + 0.1
    assert (~bayes.is_spam(greeted(blocked))).mean() < 0.02
    assert greeted(["WIN"]) == ["Dear Alex, WIN"]


def test_swaps_say_it_in_other_words(toy, svm, parts):
    assert swaps.swapped(toy, "FREE win free home", 1) in ("no charge win no charge home", "gratis win gratis home")
    assert swaps.swapped(toy, "home later", 3) == "home later"
    assert all(tokens(swap) for options in swaps.SWAPS.values() for swap in options.split("|"))
    assert not [word for word, options in swaps.SWAPS.items() if word in options.split("|")]
    before = svm.scores(parts[1].spam)
    after = svm.scores([swaps.swapped(svm, text, 3) for text in parts[1].spam])
    assert after.mean() < before.mean()


def test_a_skeleton_is_what_the_eye_sees():
    for word in ("free", "Prize", "claim"):
        assert {skeleton(how(word)) for how in (*HOW[:3], HOW[4])} == {skeleton(word)}
    assert skeleton("fr!ee") == skeleton("frlee") and skeleton("WON!") == skeleton("won") + "!"
    assert skeleton("87121") != skeleton("87122") and skeleton("O8l") == skeleton("081")
    assert skeleton("naïve") == skeleton("naive") and skeleton("dog") != skeleton("god")


# What a person reads, and what not.
SPAM = "Free entry to win the £5000 prize this week! Text WIN to 87121 now or visit www.win.example/a7 today"
HERE = SPAM.split()


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("chosen", [{"free", "prize"}, set(tokens(SPAM)) - {"#5", "www", "example", "a", "#1"}])
def test_disguised_words_are_read(how, chosen):
    assert unreadable(SPAM, characters.disguise(SPAM, chosen, how)) is None


@pytest.mark.parametrize(
    "text_adv",
    [
        SPAM,
        SPAM.lower(),
        " ".join(["home"] * 30) + " " + SPAM,
        SPAM + " see you at home later" * 6,
        SPAM.replace("to win", "to wun").replace("prize", "prize,").replace("entry", "enrty"),
        SPAM.replace("Text WIN", "Write WIN").replace("today", "at once"),
        SPAM.replace("87121", "\uff18\uff17\uff11\uff12\uff11"),
        SPAM.replace("87121", "8 7 1 2 1"),
        SPAM.replace("87121", "87l2l"),
        "Frée entry tö win the £5000 prizé this week! Text WIN to 87121 now or visit www.win.example/a7 today",
        " ".join(word for word in HERE if word not in ("the", "now", "or")),
    ],
)
def test_what_is_read(text_adv):
    assert unreadable(SPAM, text_adv) is None


@pytest.mark.parametrize(
    "text_adv, words_of_reason",
    [
        ("", "87121, which the sender needs, is gone"),
        ("Hi, I'm home, see you later", "is gone"),
        (SPAM.replace("87121", ""), "87121, which the sender needs, is gone"),
        (SPAM.replace("87121", "87122"), "is gone"),
        (SPAM.replace("87121", "bbbbb"), "is gone"),
        (SPAM.replace("www.win.example/a7", ""), "www.win.example/a7, which the sender needs, is gone"),
        (" ".join(reversed(HERE)), "lost or misspelt"),
        (" ".join(HERE[::2]) + " 87121 www.win.example/a7", "lost or misspelt"),
        (" ".join(word if word[:1] in "8w" else "".join(sorted(word)) for word in HERE), "lost or misspelt"),
        ("87121 www.win.example/a7", "lost or misspelt; 30% may be"),
        (SPAM + " home" * 31, "31 words were added; 30 may be"),
        (SPAM + "\x00", r"U\+0000, which nobody can read"),
        (SPAM + "\ue000", r"U\+E000"),
        ("\u202e" + SPAM, "direction of reading"),
    ],
)
def test_what_is_not_read(text_adv, words_of_reason):
    assert unreadable(SPAM, text_adv) is not None
    with pytest.raises(AssertionError, match=words_of_reason):
        raise AssertionError(unreadable(SPAM, text_adv))


def test_the_budget_is_what_the_two_texts_say():
    """TextAttack 626, OpenAttack 148: the share is of the original's words, however long the other is."""
    ten = "a bb cc dd ee ff gg hh ii jj"
    changed = ten.replace("bb", "xx").replace("cc", "xx").replace("dd", "xx")
    assert unreadable(ten, changed) is None and "4 of its 10" in unreadable(ten, changed.replace("ee", "xx"))
    assert unreadable(ten, changed + " more" * 30) is None and "31 words" in unreadable(ten, changed + " more" * 31)
    assert "4 of its 10" in unreadable(ten, changed.replace("ee", "xx") + " more" * 20)
    assert unreadable(ten, changed, changed=0.2) and unreadable(ten, ten + " more", added=0)


@pytest.mark.parametrize("name", ["messages", pytest.param("sms-spam", marks=needs_sms)])
def test_the_checker_on_many_messages(name):
    """What only looks different is read, and what says something else is not, whatever the message."""
    some = data.cleaned(data.load(name)).split(0.2)[0]
    rng = np.random.default_rng(0)
    for text in (text for text in some.spam if len(tokens(text)) >= 8):
        every = words(text)
        letters = [word for word in every if word[0].isalpha()]
        assert unreadable(text, text) is None
        for how in HOW[:3]:
            assert unreadable(text, characters.disguise(text, every, how)) is None
        for how in HOW[3:]:
            assert unreadable(text, characters.disguise(text, letters, how)) is None
        assert unreadable(text, with_sentences([text], some.ham[:1], 1)[0], added=100) is None
        assert unreadable(text, some.ham[int(rng.integers(len(some.ham)))])
        assert unreadable(text, " ".join(reversed(text.split())))
        assert unreadable(text, " ".join(text.split()[::2]))
