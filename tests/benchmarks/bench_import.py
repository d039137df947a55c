"""What `import skal` and its first names cost beyond scikit-learn's own import."""

import subprocess
import sys
import time
from statistics import median


def seconds(code):
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


def test_import_takes_well_under_a_second_beyond_scikit_learn():
    base = "import sklearn.linear_model, sklearn.pipeline, sklearn.metrics"
    rows = [
        [
            seconds("pass"),
            seconds("import skal"),
            seconds(base),
            seconds(f"{base}; from skal import ActiveLearner, AnnealingOracle"),
        ]
        for _ in range(7)
    ]
    nothing, skal, sklearn, names = (
        median(column) for column in zip(*rows, strict=True)
    )
    print(f"\nimport skal: {skal - nothing:.3f} s")
    print(f"from skal import ...: {names - sklearn:.3f} s beyond scikit-learn")
    assert names - sklearn < 0.5
