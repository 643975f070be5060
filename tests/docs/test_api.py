"""docs/api.md lists exactly the addresses below /api/, with their methods, and what the payload and curves hold."""

import json
import re

from rest_framework.serializers import ListSerializer, Serializer

from runs_app import consumers
from runs_app.api import runs, shapes
from runs_app.models import Run, RunEvent
from runs_app.payload import run_payload
from tests.docs.pages import blocks, codes, named, page, section, table
from tests.stockbot_site.routes import all_routes

PAGE = page("docs/api.md")


def test_every_address_with_its_methods() -> None:
    listed = sorted((row[0], codes(row[1])[0]) for row in table(section(PAGE, "Addresses")))
    there = [
        (method.upper(), "/" + re.sub(r"<\w+:(\w+)>", r"<\1>", route.path))
        for route in all_routes()
        if route.is_api
        for method in route.methods
    ]
    assert listed == sorted(there)


def test_the_payload_in_the_example_is_the_payload() -> None:
    shown = json.loads(next(text for text in blocks(PAGE, "json") if '"queue_position"' in text))
    real = run_payload(Run(kind="train"), {})
    assert list(shown) == list(real)
    assert list(shown["progress"]) == list(real["progress"])


def test_every_field_of_a_run() -> None:
    text = section(PAGE, "A run")
    told = set(codes(text)) | {"id", "updated"}  # those two say what they are
    fields = set(shapes.RunDetailShape().fields) | set(shapes.DatasetRefShape().fields)
    assert told >= fields | set(shapes.ProgressShape().fields)
    states = {str(state) for state in Run.State} - {"STARTING"}
    assert {code for code in told if code.isupper()} == states


def test_what_lists_and_single_objects_hold() -> None:
    for shape, address in ((shapes.ArtifactShape, "artifacts"), (shapes.LogShape, "log")):
        row = next(row for row in table(section(PAGE, "Addresses")) if codes(row[1])[0].endswith(f"/{address}"))
        assert set(re.findall(r'"(\w+)"', row[3])) - {"artifacts"} == set(shape().fields)


def test_every_filter_of_the_list() -> None:
    told = codes(section(PAGE, "A run"))
    assert set(told) >= runs.FILTERS - {"after"}  # clients take it from `next`


def test_every_close_code_of_the_socket() -> None:
    told = {int(code) for row in table(section(PAGE, "Sockets")) for code in re.findall(r"\d{4}", row[0])}
    ours = {value for name, value in vars(consumers).items() if name.isupper() and isinstance(value, int)}
    assert told - {4012, 1009} == {code for code in ours if 1000 < code < 4096 or 4400 < code < 4500}


def test_every_kind_of_news() -> None:
    assert set(codes(section(PAGE, "Server-sent events"))) >= {str(kind) for kind in RunEvent.Kind}


def test_the_curves() -> None:
    lines = dict(line.split(None, 1) for line in blocks(PAGE, "text")[0].splitlines())
    tag = shapes.TagsShape().fields["scalars"]
    assert isinstance(tag, ListSerializer) and isinstance(tag.child, Serializer)
    assert set(re.findall(r'"(\w+)"', lines["tags"])) == {"scalars", "histograms", *tag.child.fields}
    assert set(re.findall(r'"(\w+)"', lines["scalars"])) == set(shapes.SeriesShape().fields)
    assert set(re.findall(r'"(\w+)"', lines["scalars-batch"])) == set(shapes.BatchShape().fields)


def test_the_prices_of_a_run() -> None:
    rows = table(section(PAGE, "Prices of a run"))
    assert {code for row in rows for code in codes(row[0])} == set(shapes.PricesShape().fields)
    fills = next(codes(row[1]) for row in rows if codes(row[0]) == ["fills"])
    assert fills == list(shapes.FillsShape().fields)


def test_the_shape_of_an_error() -> None:
    shown = json.loads(blocks(section(PAGE, "Rules for every request"), "json")[0])
    assert set(shown) == {"detail", "errors"}


def test_the_statuses_have_a_row_each() -> None:
    rows = table(section(PAGE, "Rules for every request"))
    told = {status for row in rows for status in re.findall(r"\d{3}", row[0])}
    assert told >= {"400", "401", "404", "409", "413", "429"} and not named(section(PAGE, "Rules for every request"))
