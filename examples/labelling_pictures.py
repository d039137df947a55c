"""
Pictures of labelling with people
=================================

Takes the pictures in `docs/labelling.md`: of the console loop in a terminal, of the
notebook widget in a browser, and of the forecast of a session. The rows are requests to
a voice assistant (TOPv2, alarms); a simulated annotator knows their intents.

    SKAL_DATA_HOME=data python examples/labelling_pictures.py docs/images

Needs the packages `voila` and `selenium`, and the programs chromium, chromedriver,
Xvfb, xterm, xdotool and import (of ImageMagick).
"""

import argparse
import csv
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

N_ROWS, N_LABELS, GOAL, AHEAD = 1000, 190, 0.95, 200
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--window-size=900,440"),
]
CELL = """
import csv
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from skal import LabelingSession, Margin
from skal.labeling.widget import LabelingWidget

rows = list(csv.DictReader(open({table!r})))
model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10))
session = LabelingSession(model, Margin(), journal={journal!r}, audit=0.25,
                          classes={classes!r}, random_state=0)
session.add([row["request"] for row in rows], ids=[row["id"] for row in rows])
LabelingWidget(session, by="anna")
"""


@contextmanager
def page(folder, cell):
    """Serve a notebook of one cell, and yield its address."""
    import nbformat

    kernel = {"name": "python3", "display_name": "Python", "language": "python"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    notebook.cells = [nbformat.v4.new_code_cell(cell)]
    nbformat.write(notebook, folder / "label.ipynb")
    port = free_port()
    options = ["--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    command = [sys.executable, "-m", "voila", "label.ipynb", *options]
    with open(folder / "voila.log", "wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(30)


def free_port():
    """Return a port that no server uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(port):
    """Wait until a server answers."""
    end = time.monotonic() + 60
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


@contextmanager
def browser(folder):
    """Yield a browser without a window."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for flag in [*FLAGS, f"--user-data-dir={folder / 'profile'}"]:
        options.add_argument(flag)
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options, service)
    try:
        yield driver
    finally:
        driver.quit()


class Person:
    """Somebody at the page of a widget: reads the row, and clicks buttons."""

    def __init__(self, driver, address):
        self.driver = driver
        driver.get(address)

    def row(self, other_than=None):
        """Return the name of the row that is shown, once it is another one."""
        from selenium.webdriver.support.ui import WebDriverWait

        def shown(driver):
            found = driver.find_elements("css selector", ".widget-html b")
            text = found[0].text if found else ""
            return text if text.startswith("row ") and text != other_than else None

        # The page replaces its parts while it is read.
        wait = WebDriverWait(self.driver, 90, ignored_exceptions=[Exception])
        return wait.until(shown)

    def click(self, name):
        """Click a button."""
        self.driver.find_element(
            "xpath", f"//button[normalize-space()='{name}']"
        ).click()


def requests(folder):
    """Write a table without labels, and return its path, the rows and the intents."""
    from skal.datasets import fetch_topv2

    X, y = fetch_topv2(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(X))[:N_ROWS]
    texts, intents = [X[i] for i in rows], np.asarray(y)[rows]
    table = folder / "requests.csv"
    with open(table, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "request"])
        writer.writerows([f"r{i}", text] for i, text in enumerate(texts))
    return table, texts, intents


def widget(folder, table, classes, picture):
    """Take a picture of the widget, after some answers."""
    journal = str(folder / "widget.db")
    cell = CELL.format(table=str(table), journal=journal, classes=classes)
    with page(folder, cell) as address, browser(folder) as driver:
        person, row = Person(driver, address), None
        for name in classes[:3]:
            row = person.row(other_than=row)
            person.click(name)
        person.row(other_than=row)
        time.sleep(1)  # the last answer's line below the buttons
        driver.save_screenshot(picture)


def console(folder, table, classes, picture):
    """Take a picture of the console loop in a terminal, after some keys."""
    screen = {**os.environ, "DISPLAY": ":77", "LANG": "C.UTF-8"}
    server = subprocess.Popen(["Xvfb", ":77", "-screen", "0", "800x560x24"])
    label = f"{sys.executable} -m skal label console.db {table} --id id --text request"
    label += f" --audit 0.25 --classes {','.join(classes)}"
    font = ["-fa", "DejaVu Sans Mono", "-fs", "11", "-geometry", "84x28+0+0"]
    time.sleep(2)
    terminal = subprocess.Popen(
        ["xterm", "-u8", *font, "-bg", "black", "-fg", "white", "-e", label],
        cwd=folder,
        env=screen,
    )
    try:
        time.sleep(15)  # until the first row is there
        for key in "1", "3", "u", "1":
            subprocess.run(["xdotool", "type", key], env=screen, check=True)
            time.sleep(3)
        command = ["import", "-window", "root", "-crop", "760x536+1+1", str(picture)]
        subprocess.run(command, env=screen, check=True)
    finally:
        terminal.terminate()
        server.terminate()


def forecast(folder, texts, intents, classes, picture):
    """Draw the forecast of a session with a simulated annotator."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from skal import LabelingSession, Margin
    from skal.plotting import ForecastDisplay

    model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10))
    options = {"audit": 0.25, "classes": classes, "random_state": 0}
    journal = folder / "forecast.db"
    with LabelingSession(model, Margin(), journal=journal, **options) as session:
        session.add(texts)
        for _ in range(N_LABELS // 10):
            for question in session.ask(10):
                session.tell(question, str(intents[int(question.id)]))
        display = ForecastDisplay.from_session(session, AHEAD, target=GOAL)
    display.figure_.savefig(picture, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("out", type=Path, help="folder of the pictures")
    out = parser.parse_args().out.resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        table, texts, intents = requests(folder)
        classes = sorted(set(map(str, intents)))
        forecast(folder, texts, intents, classes, out / "labelling_forecast.png")
        console(folder, table, classes, out / "labelling_console.png")
        widget(folder, table, classes, str(out / "labelling_widget.png"))


if __name__ == "__main__":
    main()
