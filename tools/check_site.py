"""
Check the pages of the built site.
==================================

    python tools/check_site.py docs/_build/html

Links within the site lead somewhere, also to a section; images have alternative texts;
nothing is loaded from another server; every public name has a page.
"""

import sys
from functools import cache
from html.parser import HTMLParser
from os.path import normpath
from pathlib import Path
from urllib.parse import unquote, urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))

# Attributes that make a browser load something.
LOADED = {("img", "src"), ("script", "src"), ("link", "href"), ("iframe", "src")}
# Pages that Sphinx makes, in which links depend on a query.
OWN = {"search.html", "genindex.html", "py-modindex.html"}


class Page(HTMLParser):
    """The links, sections and images of a page.

    Parameters
    ----------
    text : str
        The page.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.without_alt: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag links to, loads or names."""
        values = {name: value or "" for name, value in attrs}
        self.ids |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        is_style = tag != "link" or "stylesheet" in values.get("rel", "")
        for name in values.keys() & {name for kind, name in LOADED if kind == tag}:
            if is_style:
                self.loaded.append(values[name])
        # Thumbnails of the gallery decorate a title that says the same.
        is_thumbnail = values.get("src", "").endswith("_thumb.png")
        if tag == "img" and not is_thumbnail and not values.get("alt", "").strip():
            self.without_alt.append(values.get("src", ""))


@cache
def parsed(path: Path) -> Page:
    """Return a page, which is read once."""
    return Page(path.read_text())


@cache
def file_at(folder: Path, link: str) -> Path | None:
    """Return the file that a link leads to, or None."""
    target = Path(normpath(folder / link))
    return target if target.is_file() else None


def has_section(target: Path, name: str) -> bool:
    """Return whether a file has a section of this name, as far as can be known."""
    is_page = target.suffix == ".html" and target.name not in OWN
    return not is_page or name in parsed(target).ids


def broken_links(path: Path) -> list[str]:
    """Return the links of a page that lead nowhere within the site."""
    found = []
    for link in {*parsed(path).links, *parsed(path).loaded}:
        url = urlsplit(link)
        if url.scheme or url.netloc:
            continue
        target = file_at(path.parent, unquote(url.path)) if url.path else path
        if target is None:
            found.append(f"links to {link}, which is not there")
        elif url.fragment and not has_section(target, unquote(url.fragment)):
            found.append(f"links to {link}, a section that is not there")
    return found


def faults_of(site: Path, path: Path) -> list[str]:
    """Return what is wrong with a page, as sentences."""
    page = parsed(path)
    found = broken_links(path)
    found += [f"shows {src} without a text for it" for src in page.without_alt]
    found += [
        f"loads {source} from another server"
        for source in page.loaded
        if urlsplit(source).netloc
    ]
    return [f"{path.relative_to(site)} {fault}" for fault in found]


def missing_names(site: Path) -> list[str]:
    """Return a sentence for each public name whose page is missing or not linked."""
    import public_names

    links = {link.partition("#")[0] for link in parsed(site / "api/index.html").links}
    return [
        f"{name} is not in docs/api/index.rst: add it to its room"
        for name in public_names.pages()
        if f"generated/{name}.html" not in links
    ]


def main() -> int:
    """Print all faults, and return 1 if there are any."""
    site = Path(sys.argv[1]).resolve()
    pages = sorted(site.rglob("*.html"))
    pages = [path for path in pages if "_static" not in path.parts]
    faults = [fault for path in pages for fault in faults_of(site, path)]
    faults += missing_names(site)
    if not (site / "llms.txt").is_file():
        faults.append("llms.txt is not there")
    print("\n".join([*faults, f"{len(pages)} pages, {len(faults)} faults"]))
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
