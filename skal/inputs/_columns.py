"""Columns of several data frames, brought to common types without a loss."""

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np


def in_common_types(frames: Mapping[str, Any]) -> dict[str, Any]:
    """Bring each column to one type in all frames, where a model depends on the type.

    Categories are united, in the order of the frames. If a column has categories in
    some frames and plain texts or numbers in others, or no values at all, it gets the
    type of the first frame with values, and so do texts of several types. Numbers stay
    as they are.

    Parameters
    ----------
    frames : dict of str to data frame
        Frames with the same columns, by the names of the sets. The pool comes first.

    Returns
    -------
    dict of str to data frame
        A frame whose types are right is returned as it is.

    Raises
    ------
    ValueError
        If a column has types that cannot be brought together.
    """
    columns = list(next(iter(frames.values())).columns)
    dtypes = zip(*(list(frame.dtypes) for frame in frames.values()), strict=True)
    casts: dict[str, dict] = {name: {} for name in frames}
    for column, found in zip(columns, dtypes, strict=True):
        if all(_is_same(dtype, found[0]) for dtype in found[1:]):
            continue
        parts = {name: frame[column] for name, frame in frames.items()}
        target = _common_type(column, parts)
        for name, part in parts.items():
            if target is not None and not _is_same(part.dtype, target):
                casts[name][column] = cast_column(part, target, column, name)
    return {name: with_columns(frames[name], casts[name]) for name in frames}


def kind_of(part: Any) -> str:
    """Return the kind of the values of a column, which no conversion may change.

    Parameters
    ----------
    part : Series
        A column of any data frame.

    Returns
    -------
    str
        Such as "numbers" or "texts"; the kind of the categories, if it has any.
    """
    import narwhals as nw

    dtype = nw.from_native(part, series_only=True).dtype
    if is_categorical(part):
        return _kind_of_values(_values(part))
    if isinstance(dtype, nw.Datetime):
        return f"times {dtype.time_zone}"
    if dtype.is_numeric():
        return "numbers"
    return {nw.String: "texts", nw.Object: "objects"}.get(type(dtype), str(dtype))


def is_categorical(part: Any) -> bool:
    """Return whether the type of a column of a data frame is one of categories."""
    import narwhals as nw

    dtype = nw.from_native(part, series_only=True).dtype
    return isinstance(dtype, nw.Categorical | nw.Enum)


def cast_column(part: Any, dtype: Any, column: Any, name: str) -> Any:
    """Convert a column to another type, and check that no value gets lost.

    Parameters
    ----------
    part : Series
        A column of any data frame.
    dtype : type of the same library
        The type to convert to.
    column : object
        The name of the column in the error message.
    name : str
        The name of the set in the error message.

    Returns
    -------
    Series

    Raises
    ------
    ValueError
        If a value cannot be converted.
    """
    try:
        cast = _converted(part, dtype)
    except Exception:
        cast = None
    if cast is None or (_is_null(cast) != _is_null(part)).any():
        _refuse(column, ("another set", dtype), (name, part.dtype))
    return cast


def _converted(part: Any, dtype: Any) -> Any:
    if not hasattr(part, "astype"):
        return part.cast(dtype)
    # `astype` of pandas ignores the order of unordered categories.
    if hasattr(part, "cat") and hasattr(dtype, "ordered"):
        return part.cat.set_categories(dtype.categories)
    return part.astype(dtype)


def with_columns(frame: Any, columns: Mapping[Any, Any]) -> Any:
    """Return a frame with some columns replaced; the frame itself if there are none.

    Parameters
    ----------
    frame : data frame
    columns : dict of name to Series

    Returns
    -------
    data frame
    """
    if columns and hasattr(frame, "with_columns"):
        return frame.with_columns(**columns)
    if columns:
        frame = frame.copy(deep=False)
    for column, part in columns.items():
        frame[column] = part
    return frame


def _is_same(one: Any, other: Any) -> bool:
    """Return whether two types are the same, with the same order of categories."""
    # pandas ignores the order of unordered categories.
    if one != other or not hasattr(one, "ordered"):
        return one == other
    return list(one.categories) == list(other.categories)


def _common_type(column: Any, parts: Mapping[str, Any]) -> Any:
    """Return the type that all parts of a column must have; None if any will do."""
    known = {name: part for name, part in parts.items() if not _is_null(part).all()}
    if not known:
        return None
    first, *others = known
    for name in others:
        kinds = kind_of(known[first]), kind_of(known[name])
        if kinds[0] not in ("objects", kinds[1]):
            _refuse(column, *((n, known[n].dtype) for n in (first, name)))
    dtype = known[first].dtype
    if is_categorical(known[first]):
        return _united(column, known)
    if len(known) < len(parts) or any(map(is_categorical, known.values())):
        return _with_room_for_null(dtype)
    return dtype if kind_of(known[first]) in ("objects", "texts") else None


def _with_room_for_null(dtype: Any) -> Any:
    """Return a type that can hold missing values; numpy's integers cannot."""
    is_integer = isinstance(dtype, np.dtype) and dtype.kind in "iu"
    return np.dtype(np.float64) if is_integer else dtype


def _united(column: Any, parts: Mapping[str, Any]) -> Any:
    """Return the type with the categories of all parts, in the order of the parts."""
    first, *others = parts
    dtype = parts[first].dtype
    for name in others:
        if not _may_unite(parts[first], parts[name]):
            _refuse(column, *((n, parts[n].dtype) for n in (first, name)))
    if _categories(parts[first]) is None:
        return dtype
    values = list(dict.fromkeys(v for part in parts.values() for v in _values(part)))
    if values == _categories(parts[first]):
        return dtype
    order = {"ordered": dtype.ordered} if hasattr(dtype, "ordered") else {}
    return type(dtype)(values, **order)


def _may_unite(one: Any, other: Any) -> bool:
    """Return whether two columns agree on the order of their categories, if any."""
    is_ordered = getattr(one.dtype, "ordered", False)
    if not is_categorical(other):
        return not is_ordered or set(_values(other)) <= set(_values(one))
    if not is_ordered and not getattr(other.dtype, "ordered", False):
        return True
    return bool(one.dtype == other.dtype)


def _categories(part: Any) -> list | None:
    """Return the categories in their order; None if the type lists none."""
    categories: Any = getattr(part.dtype, "categories", None)
    # `Categorical` of polars collects its categories from all columns.
    return list(categories) if hasattr(categories, "__len__") else None


def _values(part: Any) -> list:
    """Return the categories of a column, or its distinct values, sorted."""
    import narwhals as nw

    categories = _categories(part)
    if categories is not None:
        return categories
    column = nw.from_native(part, series_only=True)
    return sorted(column.drop_nulls().unique().to_list())


def _kind_of_values(values: list) -> str:
    for kind, types in {"texts": (str,), "numbers": (int, float, np.number)}.items():
        if all(isinstance(v, types) and not isinstance(v, bool) for v in values):
            return kind
    return "objects"


def _is_null(part: Any) -> np.ndarray:
    import narwhals as nw

    return nw.from_native(part, series_only=True).is_null().to_numpy()


def _refuse(column: Any, one: tuple[str, Any], other: tuple[str, Any]) -> NoReturn:
    raise ValueError(
        f"Column {column!r} is of type {_text(one[1])} in {one[0]} and of type "
        f"{_text(other[1])} in {other[0]}, which do not fit together: convert it to "
        "the same type in all sets."
    )


def _text(dtype: Any) -> str:
    text = " ".join(str(dtype).split())
    categories: Any = getattr(dtype, "categories", None)
    if hasattr(categories, "__len__"):
        order = "ordered " if getattr(dtype, "ordered", False) else ""
        text = f"{order}category {list(categories)}"
    return text if len(text) <= 80 else f"{text[:77]}..."
