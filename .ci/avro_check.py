"""Opens a run's samples with fastavro and polars and compares them with the JSON-lines export."""
import base64
import json
import sys

import fastavro
import polars

run, jsonl = sys.argv[1:]
with open(f"{run}/samples.avro", "rb") as file:
    records = list(fastavro.reader(file))
lines = [json.loads(line) for line in open(jsonl)]
frame = polars.read_avro(f"{run}/samples.avro")
assert len(records) == len(lines) == frame.height > 0, (len(records), len(lines), frame.height)
assert frame["sequence"].to_list() == [line["sequence"] for line in lines]
seen = set()
frames = 0
for record, line in zip(records, lines):
    assert record["device_id"] == line["device_id"]
    for got, want in zip(record["readings"], line["readings"], strict=True):
        assert got["value"] == want["value"] and got["raw"] == want["raw"], (got, want)
        assert got["unit"] and got["quality"] in (1, 3, 4, 9)
        if got["frame"]:
            pixels = got["frame"]["height"] * got["frame"]["width"]
            for name in ("data", "ideal_data"):
                assert len(got["frame"][name]) == 2 * pixels
                assert got["frame"][name] == base64.b64decode(want["frame"][name])
            frames += 1
        key = (record["device_id"], got["sensor_id"], tuple(got["channels"]), got["window_end"])
        assert key not in seen, key
        seen.add(key)
    for ideal in record["ground_truth"]["readings"]:
        assert len(ideal["ideal"]) == len(ideal["channels"])
by_polars = frame["readings"].explode().struct.field("value").explode().drop_nulls().sum()
by_fastavro = sum(v for r in records for reading in r["readings"] for v in reading["value"] if v is not None)
assert abs(by_polars - by_fastavro) <= 1e-9 * abs(by_fastavro), (by_polars, by_fastavro)
assert frames > 0
print(f"{len(records)} samples with {frames} frames agree in fastavro, polars and jsonl")
