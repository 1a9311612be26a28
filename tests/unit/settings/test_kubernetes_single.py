"""Single settings of phase 3 of a wrong name, kind or form are refused with key, value and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from components.settings import Settings, SettingsError
from tests.support.settings_phase3 import cluster, exposed

ALONE: list[tuple[dict[str, Any], str]] = [
    (cluster(contxt="main"), r"kubernetes\.contxt: 'main': unknown key; did you mean context\?"),
    (exposed(typ="Ingress"), r"kubernetes\.exposure\.typ: .*did you mean type\?"),
    (cluster(existingSecrets={"grafanas": "x"}), r"existingSecrets\.grafanas: .*did you mean grafana\?"),
    (cluster(gitops={"branch": "x"}), r"kubernetes\.gitops\.branch: 'x': unknown key; .*revision"),
    (cluster(tolerations=[{"kee": "x"}]), r"kubernetes\.tolerations\.0\.kee: 'x': unknown key; .*key"),
    (
        {"phase": 3, "autoscaling": {"gateway": {"minimum": 2}}},
        r"autoscaling\.gateway\.minimum: 2: unknown key; did you mean maximum\?",
    ),
    (cluster(kubeconfig=7), r"kubernetes\.kubeconfig: 7: must be a valid string"),
    (cluster(kubeconfig=" x "), r"kubernetes\.kubeconfig: ' x ': write the path of a file or folder"),
    (cluster(context=""), r"kubernetes\.context: '': .*at least 1 character"),
    (cluster(namespace="Observability"), r"kubernetes\.namespace: 'Observability': write a namespace: up to"),
    (cluster(namespace="a.b"), r"kubernetes\.namespace: 'a\.b': write a namespace: up to 63"),
    (cluster(storageClass="Fast"), r"kubernetes\.storageClass: 'Fast': write a Kubernetes name"),
    (cluster(nodeSelector=["x"]), r"kubernetes\.nodeSelector: \['x'\]: must be a map"),
    (cluster(nodeSelector={"pool": 1}), r"kubernetes\.nodeSelector\.pool: 1: must be a valid string"),
    (cluster(labels={"-team": "x"}), r"kubernetes\.labels.*write a label's key, such as example\.com/team"),
    (cluster(labels={"team": "a b"}), r"kubernetes\.labels\.team: 'a b': write a label's value"),
    (cluster(labels={"team": "x" * 64}), r"kubernetes\.labels\.team: .*up to 63 letters"),
    (cluster(clients={"team": "x" * 64}), r"kubernetes\.clients\.team: .*up to 63 letters"),
    (
        cluster(tolerations=[{"operator": "Equals"}]),
        r"tolerations\.0\.operator: 'Equals': choose 'Exists' or 'Equal'",
    ),
    (cluster(tolerations=[{"effect": "No"}]), r"tolerations\.0\.effect: 'No': choose 'NoSchedule', "),
    (cluster(tolerations={"key": "x"}), r"kubernetes\.tolerations: \{'key': 'x'\}: must be a list"),
    (cluster(apiPorts=[0]), r"kubernetes\.apiPorts\.0: 0: must be greater than or equal to 1"),
    (cluster(dnsPorts=[70000]), r"kubernetes\.dnsPorts\.0: 70000: must be less than or equal to 65535"),
    (cluster(egressPorts=["https"]), r"kubernetes\.egressPorts\.0: 'https': must be a valid integer"),
    (cluster(apiPorts=16443), r"kubernetes\.apiPorts: 16443: must be a list"),
    (cluster(spread="always"), r"kubernetes\.spread: 'always': choose 'required', 'zones' or 'preferred'"),
    (cluster(priorityClass="A B"), r"kubernetes\.priorityClass: 'A B': write a Kubernetes name"),
    (cluster(imagePullSecrets=["A"]), r"kubernetes\.imagePullSecrets\.0: 'A': write a Kubernetes name"),
    (cluster(imagePullSecrets="a"), r"kubernetes\.imagePullSecrets: 'a': must be a list"),
    (exposed(type="NodePort"), r"exposure\.type: 'NodePort': choose 'ClusterIP', 'LoadBalancer', 'Ingress'"),
    (exposed(otlpGrpcHost="https://x.example"), r"exposure\.otlpGrpcHost: .*write a host name or address"),
    (exposed(gatewayListener="HTTPS"), r"exposure\.gatewayListener: 'HTTPS': write a Kubernetes name"),
    (exposed(sourceRanges="192.0.2.0/24"), r"exposure\.sourceRanges: '192\.0\.2\.0/24': must be a list"),
    (exposed(sourceRanges=["example.com"]), r"sourceRanges\.0: 'example\.com': write a network, such as 192"),
    (exposed(sourceRanges=["192.0.2.0/33"]), r"sourceRanges\.0: '192\.0\.2\.0/33': write a network, such as"),
    (exposed(sourceRanges=["192.0.2.7/24"]), r"sourceRanges\.0: '192\.0\.2\.7/24': write 192\.0\.2\.0/24, "),
    (exposed(sourceRanges=["192.0.2.7"]), r"sourceRanges\.0: '192\.0\.2\.7': write 192\.0\.2\.7/32, the "),
    (exposed(className="a b"), r"exposure\.className: 'a b': write a class, such as nginx or service\."),
    (exposed(annotations={"a/b/c": "x"}), r"exposure\.annotations.*write a label's key"),
    (
        {**cluster(), "kafka": {"version": "4.2"}},
        r"kafka\.version: '4\.2': write a version of Kafka, such as",
    ),
    (cluster(monitoring="datadog"), r"monitoring: 'datadog': choose 'annotations' or 'prometheus-operator'"),
    *(
        (
            cluster(gitops={"repository": address}),
            r"gitops\.repository: '.*': write https://host/org/repo\.git, ssh",
        )
        for address in (
            *("git.example.com/a/b", "https://host:65536/a/b", "git@host"),
            *("ssh://host/a/b", "ssh://git@host:a/b.git", "ssh://git@host:65536/a/b"),
        )
    ),
    (cluster(gitops={"secret": "A"}), r"gitops\.secret: 'A': write a Kubernetes name"),
    (cluster(gitops={"argoProject": "A"}), r"gitops\.argoProject: 'A': write a Kubernetes name"),
    (cluster(gitops={"interval": "soon"}), r"gitops\.interval: 'soon': write a duration, such as 10m"),
    ({"phase": 3, "autoscaling": {"lag": "kafka"}}, r"autoscaling\.lag: 'kafka': choose 'keda'"),
    ({"phase": 3, "autoscaling": {"lagThreshold": 0}}, r"autoscaling\.lagThreshold: 0: must be greater"),
    (
        {"phase": 3, "autoscaling": {"gateway": {"maximum": 1}}},
        r"autoscaling\.gateway\.maximum: 1: must be greater than or equal to 2",
    ),
    (
        {"phase": 3, "autoscaling": {"processor": {"cpuPercent": 91}}},
        r"autoscaling\.processor\.cpuPercent: 91: must be less than or equal to 90",
    ),
    (
        {"phase": 3, "autoscaling": {"gateway": {"cpuPercent": "70%"}}},
        r"autoscaling\.gateway\.cpuPercent: '70%': must be a valid integer",
    ),
]
"""Single settings of a wrong name, kind or form, and a part of what is said."""


@pytest.mark.parametrize(("config", "message"), ALONE, ids=[message[:60] for _, message in ALONE])
def test_single_settings(config: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.load(config)
