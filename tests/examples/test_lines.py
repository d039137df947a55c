"""Tables of runs that grow line by line."""

from lines import append, read


def test_a_line_that_was_cut_short_is_as_good_as_none(tmp_path):
    path = tmp_path / "new" / "lines.csv"
    for row in (["a", 1], ["b", 2]):
        append(path, ["name", "value"], row)
    text = path.read_bytes()
    for size in range(len(text) + 1):
        path.write_bytes(text[:size])
        before = read(path)
        assert len(before) == max(0, text[:size].count(b"\n") - 1)
        append(path, ["name", "value"], ["c", 3])
        assert read(path) == [*before, {"name": "c", "value": "3"}]
