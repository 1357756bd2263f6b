"""Trains the two iris classifiers of this example and writes them as ONNX, with the data they saw.

Iris is the set of 150 measured flowers that scikit-learn ships (R. A. Fisher, 1936). Version 1 is a
logistic regression, version 2 a random forest; both answer a label and three probabilities.

    pip install scikit-learn skl2onnx
    python train.py
"""

import csv
from pathlib import Path

from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

FOLDER = Path(__file__).parent
SEED = 7


def main() -> None:
    iris = load_iris()
    with (FOLDER / "iris.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["flower", "sepal_length", "sepal_width", "petal_length", "petal_width", "species"])
        for index, (row, species) in enumerate(zip(iris.data, iris.target), start=1):
            writer.writerow([f"flower-{index:03d}", *row, int(species)])

    candidates = [
        LogisticRegression(C=0.05, max_iter=1000, random_state=SEED),
        RandomForestClassifier(n_estimators=30, max_depth=4, random_state=SEED),
    ]
    # Every third flower is held out, so that the example has something to be wrong about.
    seen = [index for index in range(len(iris.data)) if index % 3 != 0]
    for number, model in enumerate(candidates, start=1):
        model.fit(iris.data[seen], iris.target[seen])
        onnx = convert_sklearn(
            model,
            initial_types=[("measurements", FloatTensorType([None, 4]))],
            options={id(model): {"zipmap": False}},
            target_opset=17,
        )
        (FOLDER / "models" / f"v{number}.onnx").write_bytes(onnx.SerializeToString())


if __name__ == "__main__":
    main()
