"""Messages: the record, the SMS Spam Collection as published and cleaned, and the messages made here."""

import io
import itertools
import random
import time
import unicodedata
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from advcourse import data
from advcourse.data import download, messages, texts
from advcourse.data.texts import HAM, SPAM, Messages

SMS_HERE = download.find("sms-spam/SMSSpamCollection") or download.find("sms-spam/sms+spam+collection.zip")
needs_sms = pytest.mark.skipif(not SMS_HERE, reason="the SMS Spam Collection is neither in ADVCOURSE_DATA nor in data/")


def messages_of(*lines):
    return Messages("few", tuple(text for _, text in lines), np.array([label for label, _ in lines]), "Few: made here")


@needs_sms
def test_the_sms_are_as_published():
    sms = data.load("sms-spam")
    assert len(sms) == 5574 and len(sms.spam) == 747 and len(sms.ham) == 4827
    assert sms.texts[0].startswith("Go until jurong point, crazy..") and sms.labels[0] == HAM
    assert sms.texts[2].startswith("Free entry in 2 a wkly comp") and sms.labels[2] == SPAM
    folded = {" ".join(text.split()).casefold() for text in sms.texts}
    assert len(sms) - len(folded) == 415, "the duplicates are there, to be found"
    assert {label for text, label in zip(sms.texts, sms.labels, strict=True) if "&lt;" in text} == {HAM}
    data.verify("sms-spam")


@needs_sms
def test_the_sms_cleaned():
    sms = data.cleaned(data.load("sms-spam"))
    assert len(sms) == 5157 and len(sms.spam) == 641 and sms.labels.shape == (5157,)
    assert len({" ".join(text.split()).casefold() for text in sms.texts}) == 5157
    assert not [text for text in sms.texts if "&lt;" in text or "&amp;" in text or "<#>" in text]
    assert not [text for text in sms.texts if any(unicodedata.category(sign) == "Cc" for sign in text)]
    assert "417 duplicates" in sms.card and "£" in "".join(sms.spam) and "ü" in "".join(sms.ham)


def packed(content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme", "what it is")
        archive.writestr("SMSSpamCollection", content)
    return buffer.getvalue()


def test_the_sms_from_the_archive_and_from_the_file(place, monkeypatch):
    content = "ham\tsee you\tat ü\nspam\tWIN £100\n".encode()
    for name, file in (("sms+spam+collection.zip", packed(content)), ("SMSSpamCollection", content)):
        (place / "sms-spam").mkdir(parents=True, exist_ok=True)
        (place / "sms-spam" / name).write_bytes(file)
        monkeypatch.setattr(download, "_checksum", lambda content, like: like)
        sms = data.load("sms-spam")
        assert sms.texts == ("see you\tat ü", "WIN £100") and sms.labels.tolist() == [0, 1]
        (place / "sms-spam" / name).unlink()


def test_a_download_that_fails_and_a_file_that_is_damaged(place, monkeypatch):
    with pytest.raises(data.DownloadError, match="`advcourse data get sms-spam` downloads it"):
        data.verify("sms-spam")
    (place / "sms-spam").mkdir(parents=True)
    (place / "sms-spam/SMSSpamCollection").write_text("ham\thello\n")
    with pytest.raises(data.DataError, match="is damaged"):
        data.load("sms-spam")


def test_cleaning():
    found = data.cleaned(messages_of((0, "I &lt;3 you &amp; me"), (1, "WIN  now"), (0, "win NOW "),
                                     (0, "at &lt;#&gt; pm"), (0, "  "), (0, "it\x92s")))  # fmt: skip
    assert found.texts == ("I <3 you & me", "WIN now", "at pm", "it’s") and found.labels.tolist() == [0, 1, 0, 0]
    assert data.cleaned(found).texts == found.texts and data.cleaned(found).card == found.card


def test_parts_share_nothing_and_keep_the_classes():
    made = data.load("messages")
    parts = made.split(0.5, 0.3, 0.2, seed=3)
    assert [len(part) for part in parts] == [1000, 600, 400]
    assert [len(part.spam) for part in parts] == [200, 120, 80]
    assert sorted(text for part in parts for text in part.texts) == sorted(made.texts)
    label = dict(zip(made.texts, made.labels, strict=True))
    assert all(label[text] == kind for part in parts for text, kind in zip(part.texts, part.labels, strict=True))
    again, other = made.split(0.5, 0.3, 0.2, seed=3), made.split(0.5, 0.3, 0.2, seed=4)
    assert again[1].texts == parts[1].texts and other[1].texts != parts[1].texts
    assert 0.1 < np.mean(parts[0].labels[:500]) < 0.3, "ham and spam are mixed"


@pytest.mark.parametrize("shares", [(), (0.5, 0.6), (0.5, -0.1), (0,)])
def test_shares_that_cannot_be(shares):
    with pytest.raises(ValueError, match="shares must be positive and add up to 1 at most"):
        data.load("messages").split(*shares)


@pytest.mark.parametrize("seed", range(3))
def test_made_messages_are_different_and_come_by_the_seed(seed):
    begin = time.process_time()
    made = data.load("messages", seed=seed)
    assert time.process_time() - begin < 0.5
    assert len(made) == 2000 and made.labels.sum() == 400
    assert data.cleaned(made).texts == made.texts, "nothing to mend, no two alike"
    assert data.load("messages", seed=seed).texts == made.texts != data.load("messages", seed=seed + 1).texts
    assert not [text for text in made.texts if set(text) & set("{}()|#")], "every choice is taken"
    assert all(5 <= len(text) <= 200 for text in made.texts)


def test_the_first_made_message_is_the_same_everywhere():
    assert data.load("messages").texts[0] == "Hi, are you coming to dinner after lunch?"


def written(templates, count=500):
    rng = random.Random(1)
    return {messages.write(template, rng).casefold() for template in templates for _ in range(count)}


def test_the_best_filter_is_known(monkeypatch):
    """3 % of each class come from the shared templates, in the same way, and nothing else is either: it is exact."""
    ham, spam, shared = map(written, (messages.HAM_TEMPLATES, messages.SPAM_TEMPLATES, messages.SHARED_TEMPLATES))
    assert not ham & spam and not ham & shared and not spam & shared

    number, common = itertools.count(), messages.SHARED_TEMPLATES
    monkeypatch.setattr(messages, "write", lambda template, rng: f"{template in common} {next(number)}")
    monkeypatch.setattr(messages, "in_a_hurry", lambda text, rng: f"{text} hurried")
    hurried = {HAM: [], SPAM: []}
    for seed in range(40):
        made = data.load("messages", seed=seed)
        for label in (HAM, SPAM):
            both = [text for text in (made.ham, made.spam)[label] if text.startswith("True")]
            assert len(both) == {HAM: 48, SPAM: 12}[label]
            hurried[label] += [text.endswith("hurried") for text in both]
    # 1,920 and 480 draws of the same chance: 0.1 would be more than four standard deviations.
    assert abs(np.mean(hurried[HAM]) - np.mean(hurried[SPAM])) < 0.1


def test_every_word_of_a_pool_is_a_word():
    """No template asks for a pool that is not there, and none has a bracket too many."""
    rng = random.Random(0)
    for template in (*messages.HAM_TEMPLATES, *messages.SPAM_TEMPLATES, *messages.SHARED_TEMPLATES):
        for _ in range(20):
            text = messages.write(template, rng)
            assert text[0].isupper() or not text[0].isalpha()
            assert "  " not in text and " ," not in text and " ." not in text


def test_real_messages_where_they_are_here_and_made_ones_where_not(place, monkeypatch):
    monkeypatch.setattr(texts, "SMS_PACKED", replace(texts.SMS_PACKED, urls=()))
    made = data.first_of("sms-spam", "messages", seed=2)
    assert made.name == "messages" and "in place of sms-spam" in made.card
    assert made.texts == data.load("messages", seed=2).texts
    (place / "sms-spam").mkdir(parents=True)
    (place / "sms-spam/SMSSpamCollection").write_text("ham\thello\n")
    with pytest.raises(data.DataError, match="is damaged"):  # not hidden behind the others
        data.first_of("sms-spam", "messages")
    monkeypatch.setattr(download, "_checksum", lambda content, like: like)
    assert data.first_of("sms-spam", "messages").texts == ("hello",)
