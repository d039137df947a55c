import re
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skal.plotting import HTMLReport

VOID = {"meta", "img"}


class Checker(HTMLParser):
    """Reads a page, and fails where a tag is not closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data.strip())


@pytest.fixture
def read(tmp_path):
    """A function that writes a report and reads it again."""

    def write_and_read(report):
        path = report.write(tmp_path / "report.html")
        return Checker(path.read_text(encoding="utf-8"))

    return write_and_read


def test_text_is_text_and_never_markup(read):
    report = HTMLReport("a < b & c")
    report.add_heading("<script>alert(1)</script>")
    report.add_text('<img src="http://example.org/x.png">')
    report.add_table({"<b>": ["</td>"]}, "<i>")
    page = read(report)
    tags = {tag for tag, _ in page.tags}
    assert tags.isdisjoint({"script", "img", "b", "i"})
    assert {"a < b & c", "<script>alert(1)</script>", "</td>"} <= set(page.texts)


def test_headings_are_listed_at_the_top(read):
    report = HTMLReport("title")
    for heading in ("first", "second"):
        report.add_heading(heading)
    page = read(report)
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert links == [f"#{attrs['id']}" for tag, attrs in page.tags if tag == "h2"]
    assert page.texts.count("first") == 2


def test_numbers_stand_at_the_right(read):
    report = HTMLReport("title")
    columns = {
        "name": ["one", "3rd"],
        "score": np.array([0.12345, np.nan]),
        "n_rows": [10, None],
        "gain": ["+0.063", "<0.001"],
    }
    report.add_table(columns, digits=2)
    page = read(report)
    cells = [attrs.get("class") for tag, attrs in page.tags if tag == "td"]
    assert cells == [None, "number", "number", "number"] * 2
    assert "n rows" in page.texts
    shown = [text for text in page.texts if text]
    assert shown[-8:] == ["one", "0.12", "10", "+0.063", "3rd", "-", "-", "<0.001"]


def test_figures_lie_in_the_file(read, tmp_path):
    figure, ax = plt.subplots()
    ax.plot([1, 2])
    report = HTMLReport("title")
    report.add_figure(figure, 'a "line"')
    page = read(report)
    (image,) = (attrs for tag, attrs in page.tags if tag == "img")
    assert image["src"].startswith("data:image/png;base64,iVBOR")
    assert image["alt"] == 'a "line"'
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=\"(?!data:|#)|url\(|@import", text)
    assert "default-src 'none'" in text


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="zip"):
        HTMLReport("title").add_table({"a": [1], "b": [1, 2]})
