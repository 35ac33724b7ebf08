"""Words in the place of others that say the same."""

from advcourse.text.characters import disguise, worst_words
from advcourse.text.filters import LinearFilter

SWAPS = {
    "awarded": "given|handed", "bonus": "extra|gift", "box": "mail", "call": "ring|phone", "cash": "money|notes",
    "claim": "collect|pick up", "contact": "reach|talk to", "customer": "friend|client", "free": "no charge|gratis",
    "guaranteed": "sure|certain", "hurry": "be quick|go", "latest": "new|newest", "mobile": "phone|handset",
    "msg": "text|note", "nokia": "handset", "now": "today|at once", "offer": "deal|chance", "only": "just",
    "order": "get|have", "please": "kindly", "pounds": "quid", "prize": "present|reward", "reply": "answer|write back",
    "ringtone": "tune", "ringtones": "tunes", "selected": "picked|chosen", "send": "write|post",
    "service": "help", "stop": "end it|no more", "text": "write|message", "tone": "tune", "tones": "tunes",
    "txt": "write|message", "urgent": "soon|important", "visit": "see|go to", "voucher": "gift|ticket",
    "weekly": "every week", "win": "get|earn", "winner": "lucky one", "won": "got|earned",
}  # fmt: skip


def swapped(judge: LinearFilter, text: str, count: int) -> str:
    """The text with its `count` worst words that have a synonym in SWAPS replaced by the one that weighs least."""
    replaced = [word for word in worst_words(judge, text, len(text)) if word in SWAPS][:count]

    def other(word):
        return min(SWAPS[word.lower()].split("|"), key=lambda swap: judge.scores([swap])[0])

    return disguise(text, replaced, other)
