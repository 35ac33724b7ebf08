"""A message, what a filter makes of each of its words, and what a spammer can do about it."""

import html
from collections.abc import Sequence

from advcourse.text.characters import disguise, homoglyphs, worst_words
from advcourse.text.filters import LinearFilter
from advcourse.text.good_words import add, added, best_words
from advcourse.text.normalise import normalise
from advcourse.text.readable import unreadable
from advcourse.text.tokens import spans, words

HAM, SPAM = "0,114,178", "213,94,0"  # blue and vermilion, as in `plots`
STRONG, WIDEST = 3.0, 12.0  # the weight that is drawn in full colour, and the score at which the bar ends


def spam_messages(judge: LinearFilter, texts: Sequence[str], *, live: bool = True) -> None:
    """Type a message and see every word's weight; add good words, swap in homoglyphs, normalise.

    texts: messages to start from. live: show the controls; otherwise the first message as it is, with good words, and
    with homoglyphs.
    """
    if not live:
        first = texts[0]
        for text in (first, with_good_words(judge, first), with_homoglyphs(judge, first)):
            show_message(judge, text, first)
        return

    import ipywidgets
    from IPython.display import display

    chosen = ipywidgets.Dropdown(options=[(text[:60], text) for text in texts], description="message")
    typed = ipywidgets.Textarea(value=texts[0], continuous_update=True, layout={"width": "46em", "height": "5em"})
    shown = ipywidgets.HTML()

    def update(_=None):
        shown.value = message_html(judge, typed.value, chosen.value)

    def start_again(_=None):
        typed.value = chosen.value

    changes = {"add the best word": with_best_word, "homoglyphs": with_homoglyphs,
               "normalise": lambda judge, text: normalise(text)}
    buttons = [ipywidgets.Button(description=name) for name in changes]
    for button, change in zip(buttons, changes.values(), strict=True):
        button.on_click(lambda _, change=change: setattr(typed, "value", change(judge, typed.value)))
    again = ipywidgets.Button(description="start again")
    again.on_click(start_again)
    chosen.observe(start_again, "value")
    typed.observe(update, "value")
    update()
    display(ipywidgets.VBox([chosen, typed, ipywidgets.HBox([*buttons, again]), shown]))


def with_best_word(judge: LinearFilter, text: str) -> str:
    """The text with the best word behind it that it does not hold; as it is where there is none."""
    there = words(text)
    return add(text, [word for word in best_words(judge) if word not in there][:1])


def with_good_words(judge: LinearFilter, text: str, most: int = 30) -> str:
    """The text with as many of the best words as it needs to pass, `most` at most."""
    for _ in range(most):
        if not judge.is_spam([text])[0]:
            break
        text = with_best_word(judge, text)
    return text


def with_homoglyphs(judge: LinearFilter, text: str, count: int = 5) -> str:
    """The text with its worst words in Cyrillic and Greek letters, where these look the same."""
    return disguise(text, worst_words(judge, text, count), homoglyphs)


def show_message(judge: LinearFilter, text: str, original: str) -> None:
    """Show `message_html`, with its verdict in plain text for pages that show no HTML."""
    from IPython.display import display

    plain = f"{text}\n{verdict(judge, text, original)}"
    display({"text/html": message_html(judge, text, original), "text/plain": plain}, raw=True)


def message_html(judge: LinearFilter, text: str, original: str) -> str:
    """A message with every word in the colour of its weight, the sum as a bar, and what a person makes of it.

    original: the message as the spammer wants it to be read. What is typed is escaped: it is shown, never run.
    """
    pieces, end, seen = [], 0, set()
    for token, begin, stop in spans(text):
        pieces.append(html.escape(text[end:begin]))
        pieces.append(word_html(text[begin:stop], None if token in seen else judge.weights.get(token)))
        seen.add(token)
        end = stop
    body = "".join([*pieces, html.escape(text[end:])])
    return (f'<div style="line-height:2.1;max-width:50em">{body}</div>{bar_html(judge.scores([text])[0])}'
            f'<div style="opacity:.85">{html.escape(verdict(judge, text, original))}</div>')


def word_html(word: str, weight: float | None) -> str:
    """A word on its colour, with its weight; one that does not count (unknown, or there before) is underlined."""
    if weight is None:
        return f'<span style="border-bottom:1px dotted" title="does not count">{html.escape(word)}</span>'
    colour, strength = SPAM if weight > 0 else HAM, min(abs(weight) / STRONG, 1)
    return (f'<span style="background:rgba({colour},{0.6 * strength:.2f});border-radius:3px;padding:0 .15em">'
            f'{html.escape(word)}<sub>{signed(weight)}</sub></span>')


def bar_html(score: float) -> str:
    """The score as a bar from the middle, to the right for spam."""
    width = 50 * min(abs(score) / WIDEST, 1)
    left, colour = (50, SPAM) if score > 0 else (50 - width, HAM)
    return ('<div style="position:relative;height:1em;max-width:30em;border:1px solid rgba(128,128,128,.6);'
            'margin:.3em 0" '
            f'role="img" aria-label="score {signed(score)}"><div style="position:absolute;left:{left:.0f}%;'
            f'width:{width:.0f}%;height:100%;background:rgb({colour})"></div></div>')


def verdict(judge: LinearFilter, text: str, original: str) -> str:
    """The sum in words, and whether a person still reads the original in it."""
    score = judge.scores([text])[0]
    said = "spam, it is blocked" if score > 0 else "ham, it passes"
    why = unreadable(original, text)
    person = "A person still reads it." if why is None else f"A person does not read it: {why}."
    return (f"Score {signed(score)} (bias {signed(judge.bias)}, words {signed(score - judge.bias)}): {said}. "
            f"Words added: {max(0, added(original, text))}. {person}")


def signed(number: float) -> str:
    """A number with its sign and one digit behind the point."""
    return f"{number:+.1f}".replace("-", "−")
