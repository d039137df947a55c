"""Settings of the documentation site: `make docs` builds it, without network.

`SKAL_DOCS_QUICK=1` leaves the examples of the gallery out of the build, or rather shows
them without running them.
"""

import os
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))
# Examples import one another, and are run with this folder as the place of the modules.
sys.path.insert(0, str(DOCS.parent / "examples"))

import public_names  # noqa: E402

from skal import __version__  # noqa: E402

project = "skal"
author = "The skal developers"
copyright = "The skal developers, BSD 3-Clause licence"
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinx_llms_txt",
]
exclude_patterns = [
    # Its page of times loads scripts from other servers.
    "gallery/sg_execution_times.rst",
    "sg_execution_times.rst",
    "_build",
    "runs",
    "images",
    "gallery/*.ipynb",
]
nitpicky = True
# The scripts that write the result pages begin their sections at the third level.
suppress_warnings = ["myst.header"]
# Names in single backticks are code, as in scikit-learn's docstrings.
default_role = "literal"

# -- Pages in markdown -----------------------------------------------------------------
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# -- API reference ---------------------------------------------------------------------
# The pages of names are written below: autosummary looks at all members to do so.
autosummary_generate = False
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
autodoc_default_options = {"members": True, "inherited-members": True}

# -- Gallery ---------------------------------------------------------------------------
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "backreferences_dir": "gallery/backreferences",
    "doc_module": ("skal",),
    # Fashion-MNIST takes minutes and a download: shown, not run.
    "filename_pattern": r"/plot_(?!oracle_on_fashion_mnist)",
    # The helpers and studies beside them belong to no gallery.
    "ignore_pattern": r"^(?!plot_)",
    "plot_gallery": os.environ.get("SKAL_DOCS_QUICK", "0") != "1",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "within_subsection_order": "FileNameSortKey",
}

# -- HTML ------------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = "skal"
html_static_path = ["_static"]
html_css_files = ["skal.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "skal"},
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_prev_next": True,
    "navigation_depth": 2,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {
    "index": [],
    "install": [],
    "ten_minutes": [],
    "worth_it": [],
    # Two columns of code need the width.
    "guide/coming_from": [],
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# -- llms.txt --------------------------------------------------------------------------
llms_txt_title = "skal"
llms_txt_summary = (
    "skal simulates pool-based active learning for scikit-learn users, compares "
    "strategies with paired tests, and searches for the optimal labelling order, the "
    "oracle: how good could active learning possibly be on your data?"
)
llms_txt_uri_template = "_sources/{docname}{suffix}{sourcelink_suffix}"
llms_txt_exclude = ["api/generated/*", "gallery/*", "about/changes", "search"]


def resolve_public_name(app, env, node, contnode):
    """Return a link to the page of a public name, wherever it is mentioned from.

    Docstrings name their kin without the room: `Margin` and `skal.strategies.Margin`
    are both the page `skal.Margin`.
    """
    if node.get("refdomain") != "py":
        return None
    page = public_names.page_of(node["reftarget"])
    if page is None or page == node["reftarget"]:
        return None
    return env.domains["py"].resolve_xref(
        env, node["refdoc"], app.builder, "obj", page, node, contnode
    )


def leave_out(app, what, name, thing, skip, options):
    """Return True for members that skal does not define, such as `get_params`."""
    function = thing.fget if isinstance(thing, property) else thing
    home = getattr(function, "__module__", None) or ""
    is_method = callable(function) and home.partition(".")[0] == "skal"
    return None if is_method else True


def write_pages_of_names(app):
    """Write a page for each public name, which autodoc fills."""
    public_names.write_pages(DOCS / "api" / "generated")


def setup(app):
    """Connect the pages, the choice of members, and the links to public names."""
    app.connect("builder-inited", write_pages_of_names)
    app.connect("autodoc-skip-member", leave_out)
    app.connect("missing-reference", resolve_public_name)
