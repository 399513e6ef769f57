"""Dashboards and alerts ask for metrics and labels that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from immersiverse.auth.events.observability.aggregator import METRICS

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
SUFFIXES = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
SERIES = {metric.name + suffix: metric for metric in METRICS for suffix in SUFFIXES[metric.kind]}
SCRAPED = {"job", "instance"}  # labels that Prometheus adds itself
OURS = re.compile(r"\b(?:auth_events|kafka)_\w+")
SELECTED = re.compile(r"(\w+)\{([^}]*)\}")
GROUPED = re.compile(r"\b(?:by|on|ignoring) \(([^)]*)\)")


def dashboard():
    return json.loads((DEPLOY / "grafana" / "auth-events.json").read_text())


def alerts():
    groups = yaml.safe_load((DEPLOY / "prometheus" / "auth-events.rules.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels():
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries():
    shown = {panel["title"]: [target["expr"] for target in panel["targets"]] for panel in panels()}
    asked = {variable["name"]: [variable["definition"]] for variable in variables()}
    return {**shown, **asked, **{alert["alert"]: [alert["expr"]] for alert in alerts()}}


def variables():
    return [each for each in dashboard()["templating"]["list"] if each["type"] == "query"]


ALL = [
    pytest.param(query, id=f"{name} {place}")
    for name, asked in queries().items()
    for place, query in enumerate(asked)
]


@pytest.mark.parametrize("query", ALL)
def test_a_query_selects_metrics_that_exist(query):
    names = set(OURS.findall(query))
    assert names
    assert names <= set(SERIES)


@pytest.mark.parametrize("query", ALL)
def test_a_query_selects_and_groups_by_labels_that_its_metrics_have(query):
    for series, selectors in SELECTED.findall(query):
        assert set(re.findall(r"(\w+)[=!]", selectors)) <= set(SERIES[series].labels)
    known = SCRAPED | {"le"}
    for series in OURS.findall(query):
        known |= set(SERIES[series].labels)
    for labels in GROUPED.findall(query):
        assert set(labels.split(", ")) <= known


def test_every_metric_is_on_the_dashboard():
    asked = {
        name for panel in panels() for target in panel["targets"] for name in OURS.findall(target["expr"])
    }
    assert {metric.name for metric in METRICS} - {SERIES[name].name for name in asked} == set()


def test_the_dashboard_shows_what_the_specification_asks_for():
    rows = [panel["title"] for panel in dashboard()["panels"] if panel["type"] == "row"]
    assert rows[:3] == ["Consumer lag", "Message throughput", "Error rates"]
    assert "kafka_consumer_lag" in str(dashboard()["panels"][1])
    assert "kafka_producer_requests_total" in str(dashboard()["panels"])


def test_no_two_panels_share_a_place_or_an_id():
    every = dashboard()["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in every)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))


@pytest.mark.parametrize("alert", [pytest.param(alert, id=alert["alert"]) for alert in alerts()])
def test_an_alert_says_how_bad_it_is_and_what_it_means(alert):
    assert alert["labels"]["severity"] in {"warning", "critical"}
    named = set(re.findall(r"\$labels\.(\w+)", alert["annotations"]["summary"]))
    grouped = GROUPED.search(alert["expr"])
    kept = set(grouped[1].split(", ")) if grouped else set(SERIES[OURS.findall(alert["expr"])[0]].labels)
    assert named <= kept
    assert f"`{alert['alert']}`" in (ROOT / "docs" / "observability.md").read_text()


def test_the_guide_lists_every_metric():
    guide = (ROOT / "docs" / "observability.md").read_text()
    assert [metric.name for metric in METRICS if f"`{metric.name}`" not in guide] == []
