"""Makes clean tables of the raw flights: what is known at departure, and what is known at landing.

The raw file gives local wall times and no identity. Here every flight gets an id, every time becomes an instant in UTC,
and what cannot be true is left out and counted. Running it again writes the same files.
"""

import argparse
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import tzfpy

RAW_COLUMNS = ["date", "delay", "distance", "origin", "destination"]
AIRPORT_COLUMNS = ["iata", "name", "latitude", "longitude"]

# The raw data has no landing times: half an hour on the ground and in the pattern, then 450 miles an hour.
GROUND_SECONDS = 30 * 60
SECONDS_PER_MILE = 3600 // 450
LATE_AFTER_MINUTES = 15
# Nobody waits longer; beyond this a clock was read wrongly.
DELAY_MINUTES_MAX = 24 * 60

DEPARTURES = pa.schema(
    [
        pa.field("flight_id", pa.int64(), nullable=False),
        pa.field("departed_at", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("destination", pa.string(), nullable=False),
        pa.field("distance", pa.int32(), nullable=False),
    ]
)
LANDINGS = pa.schema(
    [
        pa.field("flight_id", pa.int64(), nullable=False),
        pa.field("landed_at", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("destination", pa.string(), nullable=False),
        pa.field("delay", pa.int32(), nullable=False),
        pa.field("late", pa.bool_(), nullable=False),
    ]
)
AIRPORTS = pa.schema(
    [
        pa.field("iata", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("zone", pa.string(), nullable=False),
        pa.field("latitude", pa.float64(), nullable=False),
        pa.field("longitude", pa.float64(), nullable=False),
    ]
)


def read_flights(path: Path) -> pd.DataFrame:
    flights = pd.read_parquet(path, columns=RAW_COLUMNS)
    # The file gives flights no name; their place in it is one that stays the same.
    flights.insert(0, "flight_id", range(len(flights)))
    return flights


def read_airports(path: Path, used: set[str]) -> pd.DataFrame:
    # "NA" is no missing value here.
    airports = pd.read_csv(path, usecols=AIRPORT_COLUMNS, keep_default_na=False)
    airports = airports[airports["iata"].isin(used)].sort_values("iata", ignore_index=True)
    unknown = sorted(used - set(airports["iata"]))
    if unknown:
        raise SystemExit(
            f"{path} lacks {len(unknown)} airports of the flights: {', '.join(unknown[:10])}"
        )
    places = zip(airports["longitude"], airports["latitude"], strict=True)
    airports["zone"] = [tzfpy.get_tz(longitude, latitude) for longitude, latitude in places]
    return airports[["iata", "name", "zone", "latitude", "longitude"]]


def departure_instants(flights: pd.DataFrame, airports: pd.DataFrame) -> tuple[pd.Series, int]:
    """The wall times at the origins as instants, and how many of them no clock there ever showed.

    When summer time began a clock went from 2:00 to 3:00. A 2:15 of that night was written by the clock before the
    change: it is 15 minutes after the change, and is read as 3:15.
    """
    zones = flights["origin"].map(airports.set_index("iata")["zone"])
    instants = []
    skipped = 0
    for zone, local in flights["date"].groupby(zones):
        instants.append(
            local.dt.tz_localize(zone, nonexistent=pd.Timedelta(hours=1)).dt.tz_convert("UTC")
        )
        shown = instants[-1].dt.tz_convert(zone).dt.tz_localize(None)
        skipped += int((shown != local).sum())
    return pd.concat(instants).reindex(flights.index), skipped


def write(frame: pd.DataFrame, schema: pa.Schema, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(frame[schema.names], schema=schema, preserve_index=False)
    pq.write_table(table.replace_schema_metadata(None), path, compression="zstd")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--flights", type=Path, required=True, help="flights-3m.parquet of vega-datasets"
    )
    parser.add_argument(
        "--airports", type=Path, required=True, help="airports.csv of vega-datasets"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the tables")
    args = parser.parse_args()

    raw = read_flights(args.flights)
    airports = read_airports(args.airports, set(raw["origin"]) | set(raw["destination"]))
    flights = raw[raw["delay"].abs() <= DELAY_MINUTES_MAX].copy()
    flights["departed_at"], skipped = departure_instants(flights, airports)
    flight_seconds = GROUND_SECONDS + SECONDS_PER_MILE * flights["distance"]
    flights["landed_at"] = flights["departed_at"] + pd.to_timedelta(flight_seconds, unit="s")
    flights["late"] = flights["delay"] > LATE_AFTER_MINUTES

    write(
        flights.sort_values(["departed_at", "flight_id"]),
        DEPARTURES,
        args.out / "departures.parquet",
    )
    write(flights.sort_values(["landed_at", "flight_id"]), LANDINGS, args.out / "landings.parquet")
    write(airports, AIRPORTS, args.out / "airports.parquet")

    counts = {
        "raw_rows": len(raw),
        "dropped_delay_over_24h": len(raw) - len(flights),
        "departures": len(flights),
        "landings": len(flights),
        "late": int(flights["late"].sum()),
        # Equal in all columns, and kept: see README.md.
        "equal_to_an_earlier_row": int(raw.duplicated(RAW_COLUMNS).sum()),
        "wall_times_skipped_by_summer_time": skipped,
        "airports": len(airports),
        "zones": int(airports["zone"].nunique()),
        "first_departure": flights["departed_at"].min().isoformat(),
        "last_departure": flights["departed_at"].max().isoformat(),
        "last_landing": flights["landed_at"].max().isoformat(),
    }
    (args.out / "prepare.json").write_text(json.dumps(counts, indent=2) + "\n")
    print(json.dumps(counts, indent=2))


if __name__ == "__main__":
    main()
