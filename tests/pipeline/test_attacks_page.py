"""The page about the attacks: complete, made by a build, and its example runs as it stands there."""

import re

from advcourse.attacks import all_cards
from advcourse.pipeline import attacks_page, build, masters


def test_every_attack_has_its_row_its_call_and_a_link_to_its_file():
    text = attacks_page.page()
    for name, card in all_cards().items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}` |"))
        assert card.method in row and card.cost.replace("|", "\\|") in row
        assert re.search(rf"^{name}\(.*\*, .*\)$", text, re.MULTILINE)
    assert "## Square: a random search" in text  # the file's idea, not the docstring of the attack of that name
    for place in re.findall(r"\]\((\.\./[^)]+)\)", text):
        assert (masters.ROOT / "docs" / place).exists(), place


def test_papers_are_linked():
    assert attacks_page.linked("A et al., 2017, arXiv:1712.09665; B, 2016, doi:10.1145/2976749.2978392") == (
        "A et al., 2017, [arXiv:1712.09665](https://arxiv.org/abs/1712.09665); B, 2016, "
        "[doi:10.1145/2976749.2978392](https://doi.org/10.1145/2976749.2978392)")


def test_a_build_writes_it_where_it_is_stale(tmp_path):
    for folder in ("notebooks/source", "docs"):
        (tmp_path / folder).mkdir(parents=True)
    stale = ["docs/attacks.md: is not what the attacks' cards give"]
    assert build.build(root=tmp_path, check=True) == stale and not (tmp_path / attacks_page.PLACE).exists()
    assert build.build(root=tmp_path) == stale and build.build(root=tmp_path) == []
    (tmp_path / attacks_page.PLACE).write_text("older")
    assert build.build(root=tmp_path) == stale
    assert (tmp_path / attacks_page.PLACE).read_text() == attacks_page.page()


def test_the_example_runs(capsys):
    exec(re.search(r"```python\n(from .*?)```", attacks_page.HEAD, re.DOTALL)[1], {})
    clean, attacked = map(float, capsys.readouterr().out.splitlines()[0].split())
    assert clean > 0.95 and attacked < 0.3
