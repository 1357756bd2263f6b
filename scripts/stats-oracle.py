"""Writes src/base/stats/oracle.json: what SciPy and scikit-learn give for the formulas there.

Run after changing a case, with the interpreter that has test/conformance/requirements.txt:
    .venv/bin/python scripts/stats-oracle.py && npx prettier --write src/base/stats/oracle.json
"""

import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy import stats
from scipy.spatial.distance import jensenshannon
from sklearn import metrics

TARGET = Path(__file__).parent.parent / "src" / "base" / "stats" / "oracle.json"

# The samples of the monitoring reference: R and C are numbers, A and B counts of six values.
R = [38.7, 41.5, 43.8, 44.5, 45.5, 46.0, 47.7, 58.0]
C = [39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8]
A = [16, 18, 16, 14, 12, 12]
B = [16, 16, 16, 16, 16, 8]


def tails():
    at = [0.001, 0.1, 0.7, 1.0, 2.5, 7.0, 30.0]
    degrees = [0.5, 1, 2, 3, 5, 13, 40, 300]
    levels = [0.005, 0.05, 0.3, 0.5, 0.9, 0.95, 0.99, 0.9999]
    return {
        "chiSquaredTail": [[x, d, stats.chi2.sf(x, d)] for x in at for d in degrees],
        "chiSquaredQuantile": [[p, d, stats.chi2.ppf(p, d)] for p in levels for d in degrees],
        "studentTail": [[t, d, stats.t.sf(t, d)] for t in [-3, -0.2, 0, *at] for d in degrees],
        "studentQuantile": [[p, d, stats.t.ppf(p, d)] for p in levels for d in degrees],
        "fisherQuantile": [
            [p, a, b, stats.f.ppf(p, a, b)] for p in levels for a in [1, 4.5, 9] for b in [2, 30, 279]
        ],
        "normalTail": [[z, stats.norm.sf(z)] for z in [-4, -1, 0, 0.5, 1.96, 5, 9]],
        "normalQuantile": [[p, stats.norm.ppf(p)] for p in levels],
        "lnGamma": [[x, scipy.special.gammaln(x)] for x in [0.1, 0.5, 1, 1.5, 2, 10, 171.5, 5000]],
        "kolmogorovQuantile": [[p, stats.kstwobign.ppf(p)] for p in [0.5, 0.9, 0.95, 0.99, 0.999]],
    }


def classifiers(rng):
    cases = []
    for rows, decimals in [(60, 12), (60, 1), (2, 12), (41, 0)]:
        scores = np.round(rng.beta(2, 3, rows), decimals)
        labels = (rng.random(rows) < scores).astype(int)
        labels[:2] = [0, 1]
        counts = rng.integers(0, 4, rows)
        counts[:2] = 1
        cases.append({
            "scores": scores.tolist(),
            "labels": labels.tolist(),
            "counts": counts.tolist(),
            "auc": metrics.roc_auc_score(labels, scores),
            "countedAuc": metrics.roc_auc_score(labels, scores, sample_weight=counts),
            "logLoss": metrics.log_loss(labels, scores),
            "brier": metrics.brier_score_loss(labels, scores),
        })
    return cases


def regressors(rng):
    actual = rng.normal(20, 8, 50)
    predicted = actual + rng.normal(0.7, 2, 50)
    return {
        "actual": actual.tolist(),
        "predicted": predicted.tolist(),
        "mae": metrics.mean_absolute_error(actual, predicted),
        "rmse": metrics.root_mean_squared_error(actual, predicted),
        "bias": float(np.mean(predicted - actual)),
    }


def proportions():
    cases = []
    for hits, count, level in [(0, 10, 0.95), (3, 10, 0.9), (10, 10, 0.95), (517, 20000, 0.99)]:
        result = stats.binomtest(hits, count)
        interval = result.proportion_ci(level, method="wilson")
        cases.append([hits, count, level, interval.low, interval.high])
    return cases


def drift(rng):
    a, b = np.array(A), np.array(B)
    p, q = a / a.sum(), b / b.sum()
    values = np.arange(1, 7)
    contingency = stats.chi2_contingency([a, b], correction=False)
    p_values = rng.random(25) ** 3
    return {
        "R": R, "C": C, "A": A, "B": B,
        "psi": float(np.sum((p - q) * np.log(p / q))),
        "jensenShannon": jensenshannon(p, q, base=2),
        "chiSquared": {
            "statistic": contingency.statistic,
            "degrees": contingency.dof,
            "pValue": contingency.pvalue,
        },
        "wasserstein": stats.wasserstein_distance(R, C),
        "wassersteinOfCounts": stats.wasserstein_distance(values, values, a, b),
        "kolmogorovSmirnov": stats.ks_2samp(R, C).statistic,
        "kolmogorovSmirnovOfCounts": stats.ks_2samp(
            np.repeat(values, a), np.repeat(values, b)
        ).statistic,
        "pValues": p_values.tolist(),
        "adjusted": stats.false_discovery_control(p_values).tolist(),
    }


def main():
    rng = np.random.default_rng(20010301)
    made = {
        "madeWith": f"SciPy {scipy.__version__}, scikit-learn {sklearn.__version__}",
        "tails": tails(),
        "classifiers": classifiers(rng),
        "regressors": regressors(rng),
        "proportions": proportions(),
        "drift": drift(rng),
    }
    TARGET.write_text(json.dumps(made, indent=1, default=float) + "\n")


main()
