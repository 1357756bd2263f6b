"""Makes the models of the gateway benchmarks: forest.py FOLDER.

Two random forests (a stable version and a canary), a hundred rows, and what scikit-learn and ONNX Runtime answer to
them; and a forest of as many features as are joined. Everything follows from the seeds.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

FEATURES = 30
TREES = 100
DEPTH = 6
TRAINING_ROWS = 4000
ROWS = 100
SEEDS = {"forest-1": 1, "forest-2": 2}
# Two views of four windows and three aggregates.
JOINED = 24


def main(folder: Path) -> None:
    data, target = make_classification(
        n_samples=TRAINING_ROWS + ROWS, n_features=FEATURES, n_informative=12, random_state=1
    )
    # Four decimals, as a client would send them; the same text reaches every server.
    data = data.round(4).astype(np.float32)
    rows = data[TRAINING_ROWS:]
    about = {
        "features": FEATURES,
        "trees": TREES,
        "depth": DEPTH,
        "trainingRows": TRAINING_ROWS,
        "seeds": SEEDS,
        "rows": [[round(float(value), 4) for value in row] for row in rows],
        "models": {},
    }
    for name, seed in SEEDS.items():
        forest = RandomForestClassifier(n_estimators=TREES, max_depth=DEPTH, random_state=seed)
        forest.fit(data[:TRAINING_ROWS], target[:TRAINING_ROWS])
        model = to_onnx(forest, rows[:1], options={id(forest): {"zipmap": False}})
        file = folder / f"{name}.onnx"
        file.write_bytes(model.SerializeToString())
        session = onnxruntime.InferenceSession(file)
        labels, probabilities = session.run(None, {session.get_inputs()[0].name: rows})
        about["models"][name] = {
            "bytes": file.stat().st_size,
            "nodes": int(sum(tree.tree_.node_count for tree in forest.estimators_)),
            "input": session.get_inputs()[0].name,
            "labels": labels.tolist(),
            "probabilities": probabilities.tolist(),
            "maxDifferenceToScikit": float(
                np.abs(probabilities - forest.predict_proba(rows)).max()
            ),
        }
    narrow = RandomForestClassifier(n_estimators=TREES, max_depth=DEPTH, random_state=1)
    narrow.fit(data[:TRAINING_ROWS, :JOINED], target[:TRAINING_ROWS])
    model = to_onnx(narrow, rows[:1, :JOINED], options={id(narrow): {"zipmap": False}})
    (folder / "joined.onnx").write_bytes(model.SerializeToString())
    (folder / "forest.json").write_text(json.dumps(about))


main(Path(sys.argv[1]))
