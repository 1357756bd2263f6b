"""A Feast repository with its online store filled: feast_store.py FOLDER ENTITIES.

Five feature views of fifty numbers each, in SQLite, without versions or anything else that costs time. Then reads as told
on standard input, a line `SERVICE ENTITIES READS` each, and answers with a list of milliseconds.
"""

import json
import os
import random
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pandas as pd

VIEWS = 5
FIELDS = 50


def main(folder: Path, entities: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    (folder / "feature_store.yaml").write_text(
        "project: bench\nprovider: local\nregistry: registry.db\n"
        "online_store:\n  type: sqlite\n  path: online.db\n"
        "offline_store:\n  type: file\nentity_key_serialization_version: 3\n"
    )
    store = fill(folder, entities)
    print("ready", flush=True)
    for line in sys.stdin:
        service, count, reads = line.split()
        asked = store.get_feature_service(service)
        print(json.dumps(read(store, asked, entities, int(count), int(reads))), flush=True)


def fill(folder: Path, entities: int):
    from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource
    from feast.types import Float64
    from feast.value_type import ValueType

    store = FeatureStore(repo_path=str(folder))
    customer = Entity(name="customer", join_keys=["customer"], value_type=ValueType.STRING)
    now = datetime.now(timezone.utc)
    names = [f"f{at}" for at in range(FIELDS)]
    frame = pd.DataFrame(np.random.default_rng(1).random((entities, FIELDS)), columns=names)
    frame["customer"] = [f"c{at}" for at in range(entities)]
    frame["at"] = now
    frame.to_parquet(folder / "rows.parquet")
    source = FileSource(path=str(folder / "rows.parquet"), timestamp_field="at")
    views = [
        FeatureView(
            name=f"v{at}",
            entities=[customer],
            ttl=timedelta(days=365),
            schema=[Field(name=name, dtype=Float64) for name in names],
            source=source,
        )
        for at in range(VIEWS)
    ]
    services = [
        FeatureService(name="s50", features=views[:1]),
        FeatureService(name="s250", features=views),
    ]
    store.apply([customer, *views, *services])
    for view in views:
        store.write_to_online_store(view.name, df=frame)
    return store


def read(store, service, entities: int, count: int, reads: int) -> list[float]:
    draw = random.Random(1)
    times = []
    for _ in range(reads):
        rows = [{"customer": f"c{draw.randrange(entities)}"} for _ in range(count)]
        begin = time.perf_counter()
        store.get_online_features(
            features=service, entity_rows=rows, full_feature_names=True
        ).to_dict()
        times.append((time.perf_counter() - begin) * 1000)
    return times


main(Path(sys.argv[1]), int(sys.argv[2]))
