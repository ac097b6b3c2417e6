"""Checks the alerts, their tests and the dashboard against a Prometheus that scrapes a running server.

- Every metric that they name exists, with every label that they name, and with the label value where `=` requires one.
- For every alert, one test expects it to fire and one expects it not to; the alert evaluates without an error.
- Every expression of the dashboard returns data, with the labels of its legend.

Started by scripts/check-deploy: check-deploy.py URL
"""

import json
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

URL = sys.argv[1]
DOCKER = Path("docker")
STRING = r'"(?:[^"\\]|\\.)*"'
SELECTOR = re.compile(rf'([a-zA-Z_:][\w:]*)\{{((?:[^{{}}"]|{STRING})*)\}}')
MATCHER = re.compile(rf"(\w+)\s*(=~|!~|!=|=)\s*({STRING})")
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")

faults = []


def api(path, **parameters):
    with urllib.request.urlopen(f"{URL}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=10) as response:
        return json.load(response)["data"]


def query(expression):
    """The result series of an expression, each as its labels."""
    command = ["promtool", "query", "-o", "json", "instant", URL, expression]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        faults.append(f"{expression}: {(run.stdout + run.stderr).strip()}")
        return []
    return [series["metric"] for series in json.loads(run.stdout)]


def check_names(place, expression, emitted, values=True):
    """Checks that the server emits what the expression names. With values=False, label values are not compared."""
    labels = set()
    for name, matchers in SELECTOR.findall(expression):
        found = [series for series in emitted if series["__name__"] == name]
        labels.update(*found)
        if not found:
            faults.append(f"{place}: no such metric: {name}")
        for label, operator, value in MATCHER.findall(matchers):
            exact = values and operator == "="
            if found and not any(label in series and (not exact or series[label] == json.loads(value)) for series in found):
                faults.append(f"{place}: {name} has no label {label}{'=' + value if exact else ''}")
    for label in re.split(r"[,\s]+", " ".join(GROUPING.findall(expression))):
        if label and label not in labels:
            faults.append(f"{place}: no metric has the label {label}")


def check_alerts(emitted):
    groups = yaml.safe_load((DOCKER / "prometheus/alerts.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    for rule in rules:
        if "record" in rule:
            check_names(rule["record"], rule["expr"], emitted)
            # The other rules may name what it records, with the labels by which it sums.
            emitted = [*emitted, {"__name__": rule["record"], "job": "web_server"}]
    alerts = [rule for rule in rules if "alert" in rule]
    for alert in alerts:
        check_names(alert["alert"], alert["expr"], emitted)
    tests = yaml.safe_load((DOCKER / "prometheus/alerts.test.yml").read_text())["tests"]
    for test in tests:
        for series in test["input_series"]:
            check_names("alerts.test.yml", series["series"], emitted, values=False)
    cases = [case for test in tests for case in test["alert_rule_test"]]
    for alert in alerts:
        if not any(case["alertname"] == alert["alert"] and case.get("exp_alerts") for case in cases):
            faults.append(f"{alert['alert']}: no test expects it to fire")
        if not any(case["alertname"] == alert["alert"] and not case.get("exp_alerts") for case in cases):
            faults.append(f"{alert['alert']}: no test expects it not to fire")
    for group in api("rules")["groups"]:
        for rule in group["rules"]:
            if rule["health"] != "ok":
                faults.append(f"{rule['name']}: {rule['health']}: {rule.get('lastError')}")
    return len(alerts)


def check_dashboard(emitted):
    dashboard = json.loads((DOCKER / "grafana/dashboards/web_server.json").read_text())
    source = yaml.safe_load((DOCKER / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"][0]
    panels = dashboard["panels"]
    if len({panel["id"] for panel in panels}) != len(panels):
        faults.append("two panels have the same id")
    count = 0
    for panel in panels:
        place = f"panel {panel['title']!r}"
        for target in panel.get("targets", []):
            count += 1
            expression = target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")
            check_names(place, expression, emitted)
            series = query(expression)
            if not series:
                faults.append(f"{place}: no data from {expression}")
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                if any(label not in labels for labels in series):
                    faults.append(f"{place}: the legend shows {label}, which the series do not have")
            if panel["datasource"]["uid"] != source["uid"]:
                faults.append(f"{place}: the data source is not the provisioned one")
    return count


emitted = api("series", **{"match[]": '{job="web_server"}'})
alerts, expressions = check_alerts(emitted), check_dashboard(emitted)
if faults:
    sys.exit("\n".join(faults))
print(f"{alerts} alerts and {expressions} dashboard expressions match the metrics.")
