"""Time, memory and disk space of a large session.

python tests/benchmarks/bench_labeling_size.py --rows 100000
python tests/benchmarks/bench_labeling_size.py --rows 1000000 --ids-only
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path
from uuid import UUID

import numpy as np
from sklearn.linear_model import LogisticRegression

from skal import LabelingSession, Margin

N_COLUMNS, N_LABELS = 64, 400


def memory():
    """Return the highest memory of this process so far, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--ids-only", action="store_true", help="one column, no labels")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    width = 1 if args.ids_only else N_COLUMNS
    X = rng.normal(size=(args.rows, width)).astype(np.float32)
    y = (X.sum(axis=1) > 0).astype(int)
    ids = [str(UUID(int=i)) for i in range(args.rows)]
    place = {name: i for i, name in enumerate(ids)}
    print(f"{args.rows} rows of {width} columns, {memory():.2f} GiB before")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "labels.db")
        start = time.perf_counter()
        session = LabelingSession(
            LogisticRegression(), Margin(), journal=path, random_state=0
        ).add(X, ids)
        print(f"added in {time.perf_counter() - start:.1f} s, {memory():.2f} GiB")
        if not args.ids_only:
            for question in session.ask(N_LABELS):
                session.tell(question.id, int(y[place[question.id]]))
            session.ask(20)
            times, told = [], []
            for _ in range(5):
                for question in session.ask(20):
                    start = time.perf_counter()
                    session.tell(question.id, int(y[place[question.id]]))
                    told.append(time.perf_counter() - start)
                start = time.perf_counter()
                session.ask(20)
                times.append(time.perf_counter() - start)
            print(f"ask(20) after tell: {np.median(times):.2f} s, at most ", end="")
            print(f"{max(times):.2f} s")
            print(f"tell: {1000 * np.median(told):.1f} ms")
        session.close()
        size = sum(file.stat().st_size for file in path.parent.iterdir())
        print(f"file: {size / 2**20:.0f} MiB; memory: {memory():.2f} GiB")
        start = time.perf_counter()
        LabelingSession(LogisticRegression(), Margin(), journal=path).close()
        print(f"opened again in {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
