"""The notebook widget in a real browser: headless Chromium, through Voila."""

import shutil

import pytest
from labelling_pictures import Person, browser, page
from sklearn.linear_model import LogisticRegression

from skal import LabelingSession, Margin

for name in "ipywidgets", "voila", "selenium":
    pytest.importorskip(name, reason=f"{name} is not installed")
if not (shutil.which("chromium") and shutil.which("chromedriver")):
    pytest.skip("chromium and chromedriver are not installed", allow_module_level=True)

CELL = """
from sklearn.linear_model import LogisticRegression
from skal import LabelingSession, Margin
from skal.labeling.widget import LabelingWidget

session = LabelingSession(LogisticRegression(), Margin(), journal={path!r},
                          classes=["ham", "spam"], random_state=0)
session.add([[float(i)] for i in range(30)])
LabelingWidget(session, by="anna")
"""


def test_clicks_in_a_browser_are_kept(tmp_path):
    path = tmp_path / "labels.db"
    cell = CELL.format(path=str(path))
    with page(tmp_path, cell) as address, browser(tmp_path) as driver:
        person = Person(driver, address)
        first = person.row()
        person.click("spam")
        second = person.row(other_than=first)
        person.click("ham")
        third = person.row(other_than=second)
        person.click("Undo")
        assert person.row(other_than=third) == second
        person.click("ham")
        assert person.row(other_than=second) == third
        # A page that is loaded anew goes on with the same row.
        assert Person(driver, address).row() == third
    with LabelingSession(LogisticRegression(), Margin(), journal=path) as session:
        names = session.labels(by="anna")
    told = {f"row {name}": label for name, label in names.items()}
    assert told == {first: "spam", second: "ham"}
