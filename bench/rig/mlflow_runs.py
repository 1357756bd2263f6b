"""Puts runs into a new MLflow database with MLflow's own tables: mlflow_runs.py URI ARTIFACTS RUNS.ndjson.

Over HTTP a hundred thousand runs would take an hour.
"""

import json
import sys
from itertools import islice

from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlRun, SqlTag
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

AT_ONCE = 5000


def main(uri: str, artifacts: str, file: str) -> None:
    store = SqlAlchemyStore(uri, artifacts)
    store.get_experiment("0")
    with open(file) as lines, store.engine.begin() as connection:

        def put(table, rows: list[dict]) -> None:
            # By the database's own driver: SQLAlchemy looks at every value of every row.
            names = list(rows[0])
            places = ", ".join("?" for _ in names)
            sql = f"INSERT INTO {table.__tablename__} ({', '.join(names)}) VALUES ({places})"
            sql = sql.replace("key,", '"key",').replace("timestamp,", '"timestamp",')
            connection.exec_driver_sql(sql, [tuple(row.values()) for row in rows])

        while some := [json.loads(line) for line in islice(lines, AT_ONCE)]:
            put(SqlRun, [run_row(run) for run in some])
            points = [point for run in some for point in point_rows(run)]
            put(SqlMetric, points)
            put(SqlLatestMetric, points)
            put(SqlParam, pairs(some, "params", "param"))
            put(SqlTag, pairs(some, "tags", "tag"))


def run_row(run: dict) -> dict:
    return {
        "run_uuid": run["id"],
        "name": run["name"],
        "source_type": "UNKNOWN",
        "source_name": "",
        "entry_point_name": "",
        "user_id": "bench",
        "status": "FINISHED",
        "start_time": run["startMs"],
        "end_time": run["startMs"] + 500,
        "source_version": "",
        "lifecycle_stage": "active",
        "artifact_uri": f"mlflow-artifacts:/0/{run['id']}/artifacts",
        "experiment_id": 0,
    }


def point_rows(run: dict) -> list[dict]:
    return [
        {
            "key": f"metric-{at}",
            "value": value,
            "timestamp": run["startMs"],
            "step": 0,
            "is_nan": False,
            "run_uuid": run["id"],
        }
        for at, value in enumerate(run["metrics"])
    ]


def pairs(runs: list[dict], field: str, kind: str) -> list[dict]:
    return [
        {"key": f"{kind}-{at}", "value": value, "run_uuid": run["id"]}
        for run in runs
        for at, value in enumerate(run[field])
    ]


main(*sys.argv[1:])
