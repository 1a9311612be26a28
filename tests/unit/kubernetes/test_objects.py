"""What single objects of the cluster must say, or must not say, for the program behind them to work."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from components.autoscaling import POLL_INTERVAL
from components.collector_processor import SAMPLER_COMMIT
from components.platform.manifests.network import SOLVER
from components.platform.manifests.placement import ONLY_COPY
from components.platform.manifests.pod import EVICTABLE
from components.platform.manifests.promql import grouped_by
from components.values.documents import Document
from components.values.quantities import Duration
from tests.support.made import annotations_of, made, requests
from tests.support.manifests import Manifest, Tree, name_of
from tests.support.variants import CLUSTER_VARIANTS
from tests.support.variants_phase4 import OBJECT_VARIANTS, ON_CLUSTER


def test_a_node_pool_is_not_waited_for_since_it_never_says_that_it_is_ready() -> None:
    found = made("phase3-strimzi")
    (pool,) = found.of("KafkaNodePool")
    assert waits_of(pool) == {"pulumi.com/skipAwait": "true"}
    others = found.of("Kafka", "KafkaTopic", "KafkaUser")
    assert others
    assert all(waits_of(one) == {"pulumi.com/waitFor": "condition=Ready"} for one in others)


def test_topics_that_others_make_are_not_waited_for_and_a_restart_makes_none() -> None:
    found = made("phase3-external-kafka")
    checking, gateway = (found.get("Deployment", name) for name in ("kafka-topics", "otel-gateway"))
    assert (waits_of(checking), waits_of(gateway)) == ({"pulumi.com/skipAwait": "true"}, {})
    (container,) = checking["spec"]["template"]["spec"]["containers"]
    probes = ("startupProbe", "livenessProbe", "readinessProbe")
    asked = [" ".join(container[probe]["exec"]["command"]) for probe in probes]
    assert asked == ["true", "true", "test -f /tmp/ready"]


@pytest.mark.parametrize(
    "scaling", [{}, {"lag": "keda", "kedaNamespace": "scaling"}], ids=["by CPU", "by lag"]
)
def test_strimzis_listener_is_for_the_stacks_own_clients(scaling: dict[str, str]) -> None:
    found = made("phase3-strimzi", autoscaling=scaling)
    (kafka,) = found.of("Kafka")
    (listener,) = kafka["spec"]["kafka"]["listeners"]
    clients, brokers, *others = listener["networkPolicyPeers"]
    (expression,) = clients["podSelector"]["matchExpressions"]
    callers = {
        program.name
        for program in found.programs()
        if any(port == 9093 for _, port in egress_ports(found, program.name))
    }
    assert callers
    assert callers <= set(expression["values"])
    assert brokers == {"podSelector": {"matchLabels": {"strimzi.io/pool-name": "broker"}}}
    keda = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "scaling"}}}
    assert others == ([keda] if scaling else [])


def egress_ports(found: Tree, name: str) -> set[tuple[str, int]]:
    """Protocols and ports to which a workload may connect."""
    return {
        (port["protocol"], port["port"])
        for policy in found.of("NetworkPolicy")
        if policy["spec"]["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/name") == name
        for rule in policy["spec"].get("egress", [])
        for port in rule.get("ports", [])
    }


def test_strimzis_pods_have_limits_and_time_to_stop() -> None:
    found = made("phase3-strimzi")
    (kafka,) = found.of("Kafka")
    for operator in ("topicOperator", "userOperator"):
        resources = kafka["spec"]["entityOperator"][operator]["resources"]
        assert resources["limits"]["memory"] == resources["requests"]["memory"]
    (pool,) = found.of("KafkaNodePool")
    assert pool["spec"]["template"]["pod"]["terminationGracePeriodSeconds"] == 60


@pytest.mark.parametrize("scaling", [{}, {"lag": "keda"}], ids=["by CPU", "by lag"])
def test_processors_are_never_more_than_partitions(scaling: dict[str, str]) -> None:
    found = made("phase3-small", kafka={"partitions": 4}, autoscaling=scaling)
    if scaling:
        (scaled,) = found.of("ScaledObject")
        assert scaled["spec"]["maxReplicaCount"] == 4
    else:
        assert found.get("HorizontalPodAutoscaler", "otel-processor")["spec"]["maxReplicas"] == 4


def waits_of(one: Manifest) -> dict[str, str]:
    waits = ("pulumi.com/skipAwait", "pulumi.com/waitFor")
    return {name: value for name, value in annotations_of(one).items() if name in waits}


@pytest.mark.parametrize("render", [False, True])
def test_nobody_deletes_what_strimzi_keeps_data_for(render: bool) -> None:
    """With a KafkaTopic the operator deletes the topic; with a new Kafka the claims do not fit."""
    sections: dict[str, Any] = {}
    if render:
        section = CLUSTER_VARIANTS["phase3-render"]["kubernetes"]
        sections["kubernetes"] = {**section, "existingSecrets": {"grafana": "grafana-login"}}
    with requests() as registered:
        found = made("phase3-strimzi", **sections)
    asked = [one for one in registered if one.type.startswith("kubernetes:kafka.strimzi.io/")]
    (namespace,) = (one for one in registered if one.type == "kubernetes:core/v1:Namespace")
    assert len(asked) == 8
    assert {one.retainOnDelete for one in asked} == {not render}
    if not render:
        assert {one.provider for one in asked} == {namespace.provider}, (
            "the one that takes over what is there"
        )
    marks = {
        "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
        "kustomize.toolkit.fluxcd.io/prune": "disabled",
    }
    kept = found.of("Kafka", "KafkaNodePool", "KafkaTopic", "KafkaUser", "Namespace")
    assert all(marks.items() <= annotations_of(one).items() for one in kept)


def test_the_namespace_names_the_stack_that_has_it() -> None:
    (namespace,) = made("phase3-small").of("Namespace")
    assert annotations_of(namespace)["otel-stack.io/owner"] == "otel-stack/test"


def test_strimzi_runs_the_version_that_it_likes_best_unless_one_is_named() -> None:
    (free,) = made("phase3-strimzi").of("Kafka")
    assert "version" not in free["spec"]["kafka"]
    (named,) = made("phase3-strimzi", kafka={"mode": "strimzi", "version": "4.2.0"}).of("Kafka")
    assert named["spec"]["kafka"]["version"] == "4.2.0"


def test_strimzis_brokers_may_write_to_a_new_volume() -> None:
    """The operator gives pods the group of their volumes unless the pool has a security context for them."""
    (pool,) = made("phase3-strimzi").of("KafkaNodePool")
    template = pool["spec"]["template"]
    assert "securityContext" not in template["pod"]
    assert template["kafkaContainer"]["securityContext"]["runAsNonRoot"]


def test_strimzis_pods_are_placed_and_started_as_the_settings_say() -> None:
    found = made("phase4-strimzi")
    (pool,), (kafka,) = found.of("KafkaNodePool"), found.of("Kafka")
    assert [volume["class"] for volume in pool["spec"]["storage"]["volumes"]] == ["fast"]
    brokers = pool["spec"]["template"]["pod"]
    operators = kafka["spec"]["entityOperator"]["template"]["pod"]
    wanted = {"key": "example.com/pool", "operator": "In", "values": ["telemetry"]}
    for pod in (brokers, operators):
        nodes = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert nodes == {"nodeSelectorTerms": [{"matchExpressions": [wanted]}]}
        assert pod["tolerations"] == [
            {"key": "example.com/telemetry", "operator": "Exists", "effect": "NoSchedule"}
        ]
        assert pod["priorityClassName"] == "telemetry"
        assert pod["imagePullSecrets"] == [{"name": "registry-login"}]
    assert (spread_over_zones(brokers), is_kept_apart(brokers)) == (("DoNotSchedule", "Honor"), True)
    assert "podAntiAffinity" not in operators["affinity"], "each is one pod"
    # The operator hands the labels of its resources down to all that it makes.
    declared = found.of("Kafka", "KafkaNodePool", "KafkaTopic", "KafkaUser")
    assert all(one["metadata"]["labels"]["example.com/team"] == "platform" for one in declared)


def test_strimzis_ca_outlives_the_collectors_that_have_read_it() -> None:
    (kafka,) = made("phase3-strimzi").of("Kafka")
    assert kafka["spec"]["clusterCa"] == {"validityDays": 3650, "renewalDays": 365}


def test_brokers_write_no_log_files() -> None:
    """Their folder holds 64 MiB, and a pod that fills it is evicted."""
    found = made("phase3-medium")
    broker = found.program("kafka")
    assert broker.environment()["KAFKA_GC_LOG_OPTS"] == "-Xlog:gc=off"
    logging = yaml.safe_load(found.files(broker)["log4j2.yaml"])["Configuration"]
    assert list(logging["Appenders"]) == ["Console"]
    assert logging["Loggers"]["Root"]["AppenderRef"] == [{"ref": logging["Appenders"]["Console"]["name"]}]


def test_a_broker_is_not_restarted_for_what_it_waits_for() -> None:
    """Other controllers, and the check of its log: its clients' port opens after both."""
    found = made("phase3-medium")
    broker = found.program("kafka")
    (container,) = broker.containers
    files = found.files(broker)
    assert "process.roles=broker,controller" in files["server.properties"]
    assert len(broker.environment()["KAFKA_CONTROLLER_QUORUM_VOTERS"].split(",")) == 3
    for kind in ("startupProbe", "livenessProbe"):
        assert " ".join(container[kind]["exec"]["command"]) == (
            "bash /mnt/shared/config/alive.sh /tmp/waits-for-room 9093"
        )
    assert container["readinessProbe"]["exec"]["command"] == ["bash", "/mnt/shared/config/in-sync.sh"]
    assert "/dev/tcp/localhost/${1:-9092}" in files["in-sync.sh"]
    assert "/dev/tcp/localhost/$2" in files["alive.sh"]


@pytest.mark.parametrize(
    ("sampling", "thresholds"),
    [
        # 1,000 events/s, 400 of them spans, on 2 processors: 15 s of them, or 1 s.
        ("tail", {"trace": 500 + 3_000, "metric": 500, "log": 500, "sampled": 500 + 200}),
        ("none", {"trace": 500 + 200, "metric": 500, "log": 500, "sampled": 500 + 200}),
    ],
)
def test_what_processors_have_only_not_told_kafka_yet_brings_no_more_of_them(
    sampling: str, thresholds: dict[str, int]
) -> None:
    found = made("phase3-gateway-api", sampling={"mode": sampling})
    triggers = [one["metadata"] for one in found.get("ScaledObject", "otel-processor")["spec"]["triggers"]]
    assert {one["consumerGroup"]: one["lagThreshold"] for one in triggers} == {
        f"otel-{group}-processors": str(threshold) for group, threshold in thresholds.items()
    }


@pytest.mark.parametrize(
    ("sampling", "thresholds"),
    [
        (
            "tail",
            {"trace-processors": 3_500, "metric-writers": 500, "log-writers": 500, "sampled-writers": 700},
        ),
        (
            "none",
            {"trace-writers": 700, "metric-writers": 500, "log-writers": 500, "sampled-writers": 700},
        ),
    ],
)
def test_nor_does_it_in_the_groups_of_phase_four(sampling: str, thresholds: dict[str, int]) -> None:
    storage = OBJECT_VARIANTS["phase4-small"]["objectStorage"]
    found = made("phase3-gateway-api", phase=4, objectStorage=storage, sampling={"mode": sampling})
    triggers = [one["metadata"] for one in found.get("ScaledObject", "otel-processor")["spec"]["triggers"]]
    assert {one["consumerGroup"]: one["lagThreshold"] for one in triggers} == {
        f"otel-{group}": str(threshold) for group, threshold in thresholds.items()
    }


def test_a_reader_that_stands_still_brings_no_more_of_them() -> None:
    """KEDA sees that by its own look before, so nobody else may make it look."""
    scaled = made("phase3-gateway-api").get("ScaledObject", "otel-processor")["spec"]
    assert Duration(scaled["pollingInterval"]) == POLL_INTERVAL
    for trigger in scaled["triggers"]:
        assert trigger["metadata"]["excludePersistentLag"] == "true"
        assert trigger["useCachedMetrics"] is True


def test_an_autoscaler_by_load_lets_the_one_by_lag_come_before_it_goes() -> None:
    scalers = made("phase3-small").of("HorizontalPodAutoscaler")
    assert "otel-processor" in {one["metadata"]["name"] for one in scalers}
    for one in scalers:
        assert annotations_of(one)["validations.keda.sh/hpa-ownership"] == "false"


def test_samplers_tell_kafka_where_they_are_as_often_as_is_counted_with() -> None:
    interval = Document.read("otel-processor/processor.yaml").get(
        "receivers", "kafka/traces", "autocommit", "interval"
    )
    assert Duration.parse(interval) == SAMPLER_COMMIT


def test_only_the_operators_prometheus_may_ask_for_metrics() -> None:
    """The port may be one that also deletes data."""
    found = made("phase3-load-balancer")
    (rule,) = found.get("NetworkPolicy", "monitoring-to-loki")["spec"]["ingress"]
    (source,) = rule["from"]
    named = {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}
    assert source["namespaceSelector"] == named
    (chosen,) = source["podSelector"]["matchExpressions"]
    assert chosen["key"] == "app.kubernetes.io/name"
    assert set(chosen["values"]) == {"prometheus", "prometheus-agent"}


@pytest.mark.parametrize(
    ("name", "ports"), [("phase3-small", [443, 6443]), ("phase3-everything-set", [443, 16443])]
)
@pytest.mark.parametrize("program", ["otel-gateway", "prometheus"])
def test_the_api_server_is_asked_at_the_ports_of_the_settings(
    name: str, program: str, ports: list[int]
) -> None:
    rules = made(name).get("NetworkPolicy", f"{program}-egress")["spec"]["egress"]
    assert {"ports": [{"protocol": "TCP", "port": port} for port in ports]} in rules


def test_ports_behind_services_of_others_are_open_to_who_calls_others() -> None:
    """A plugin that looks behind the Service would else cut off names, or what the settings name."""
    found = made("phase3-external-kafka")

    def opened(program: str) -> list[set[tuple[str, int]]]:
        rules = found.get("NetworkPolicy", f"{program}-egress")["spec"]["egress"]
        return [
            {(port["protocol"], port["port"]) for port in rule["ports"]} for rule in rules if "to" not in rule
        ]

    names = {("UDP", 53), ("UDP", 5353), ("TCP", 53), ("TCP", 5353)}
    others = {("TCP", 9000), ("TCP", 9094)}
    calls_nobody = opened("loki")
    for program in ("otel-processor", "kafka-topics"):
        calls_kafka = opened(program)
        assert calls_kafka[0] == names
        assert others < calls_kafka[1]
    assert calls_nobody == [names]


def test_what_the_api_server_would_add_to_a_service_monitor_is_there() -> None:
    """Argo CD would report it as a difference, for good."""
    for monitor in made("phase3-load-balancer").of("ServiceMonitor"):
        (endpoint,) = monitor["spec"]["endpoints"]
        assert {one["action"] for one in endpoint["relabelings"]} == {"replace"}


def test_what_the_operators_prometheus_selects_by_labels_has_those_of_the_settings() -> None:
    """Of the chart kube-prometheus-stack it selects by ``release`` unless told otherwise."""
    cluster = CLUSTER_VARIANTS["phase3-load-balancer"]["kubernetes"]
    labels = {"release": "kube-prometheus-stack"}
    found = made("phase3-load-balancer", kubernetes={**cluster, "labels": labels})
    selected = found.of("ServiceMonitor", "PrometheusRule")
    assert {one["kind"] for one in selected} == {"ServiceMonitor", "PrometheusRule"}
    assert all(labels.items() <= one["metadata"]["labels"].items() for one in selected)


def test_everything_but_the_claims_has_the_labels_of_the_settings() -> None:
    """A claim's template can never change, and labels may be added any day."""
    labels = {"example.com/team": "platform"}
    found = made("phase3-everything-set")
    labelled = [*found.objects, *(program.template for program in found.programs())]
    assert all(labels.items() <= one["metadata"]["labels"].items() for one in labelled)
    claims = [
        claim for one in found.of("StatefulSet") for claim in one["spec"].get("volumeClaimTemplates", [])
    ]
    assert claims
    assert all(not labels.keys() & claim["metadata"]["labels"].keys() for claim in claims)


def test_another_size_of_a_volume_replaces_no_stateful_set() -> None:
    """Replaced, all its pods would go at once; what the settings ask for is in an annotation."""
    with requests() as registered:
        found = made("phase3-small", sizing={"kafka": {"volume": "33GiB"}})
    ignored = {(one.type, one.name): list(one.ignoreChanges) for one in registered}
    sets = found.of("StatefulSet")
    assert sets
    for one in sets:
        kind = ("kubernetes:apps/v1:StatefulSet", one["metadata"]["name"])
        assert ignored[kind] == ["spec.volumeClaimTemplates"]
    assert annotations_of(found.get("StatefulSet", "kafka")) == {"storage.otel-stack.io/kafka-data": "33Gi"}


def waits(found: list[Any]) -> dict[str, tuple[str, str, str]]:
    """Give how long the creation, an update and the deletion of each workload may take."""
    kinds = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet")
    timeouts = {one.name: one.customTimeouts for one in found if one.type in kinds}
    return {name: (one.create, one.update, one.delete) for name, one in timeouts.items()}


def test_an_update_waits_as_long_as_a_rollout_may_take() -> None:
    with requests() as registered:
        found = made("phase3-medium")
    most = {name_of(one): one["spec"]["maxReplicas"] for one in found.of("HorizontalPodAutoscaler")}
    waited = waits(registered)
    for program in found.programs():
        (container,) = program.containers
        probe = container["startupProbe"]
        each = probe["periodSeconds"] * probe["failureThreshold"]
        if program.object["kind"] == "StatefulSet":
            each += program.pod["terminationGracePeriodSeconds"]
        pods = most.get(program.name) or program.object["spec"]["replicas"]
        create, update, _ = (Duration.parse(text).seconds for text in waited[program.name])
        assert create == 600, program.name
        assert create + pods * each <= update < create + pods * each + 60, program.name


def test_an_update_is_given_up_some_day() -> None:
    with requests() as registered:
        made("phase3-small", autoscaling={"gateway": {"maximum": 100}})
    assert waits(registered)["otel-gateway"][:2] == ("10m", "120m")


def test_a_deletion_waits_until_the_pods_may_be_killed() -> None:
    with requests() as registered:
        found = made("phase3-small", sampling={"decisionWait": "15m"})
    waited = waits(registered)
    ends = {one.name: one.pod["terminationGracePeriodSeconds"] for one in found.programs()}
    assert ends["otel-processor"] > 900
    for name, end in ends.items():
        assert end + 600 <= Duration.parse(waited[name][2]).seconds < end + 660, name


ZONE = "topology.kubernetes.io/zone"


def spread_over_zones(pod: Manifest) -> tuple[str, str | None]:
    (found,) = (one for one in pod["topologySpreadConstraints"] if one["topologyKey"] == ZONE)
    return found["whenUnsatisfiable"], found.get("nodeTaintsPolicy")


def is_spread(pod: Manifest) -> bool:
    """Tell whether there are several of it."""
    return "topologySpreadConstraints" in pod


def is_kept_apart(pod: Manifest) -> bool:
    """Tell whether each must have a node of its own; all of them are to have one where there is room."""
    (strictness,) = pod["affinity"]["podAntiAffinity"]
    return bool(strictness == "requiredDuringSchedulingIgnoredDuringExecution")


def spread(name: str, how: str, **sections: Any) -> Tree:
    return made(name, kubernetes={**ON_CLUSTER[name]["kubernetes"], "spread": how}, **sections)


PLACED = pytest.mark.parametrize(
    ("how", "over_zones", "apart"),
    [
        ("preferred", ("ScheduleAnyway", None), False),
        ("required", ("ScheduleAnyway", None), True),
        ("zones", ("DoNotSchedule", "Honor"), True),
    ],
)
"""A value of ``spread``, and what it is for the replicas of Kafka, of a store and of Grafana."""

PEERS = {"kafka", "tempo", "mimir", "loki-cluster", "grafana"}
COLLECTORS = {"otel-gateway", "otel-processor"}


@PLACED
@pytest.mark.parametrize(
    ("variant", "peers", "others"),
    [
        ("phase3-medium", {"kafka"}, COLLECTORS),
        ("phase4-small", PEERS, {*COLLECTORS, "query-gateway"}),
        (
            "phase4-split",
            {*PEERS, "tempo-querier", "mimir-read", "loki-backend"},
            {*COLLECTORS, "query-gateway"},
        ),
    ],
)
def test_brokers_and_stores_are_spread_as_the_settings_say(
    variant: str,
    peers: set[str],
    others: set[str],
    how: str,
    over_zones: tuple[str, str | None],
    *,
    apart: bool,
) -> None:
    pods = {one.name: one.pod for one in spread(variant, how).programs() if is_spread(one.pod)}
    assert peers | others <= pods.keys()
    found = {name: (spread_over_zones(pod), is_kept_apart(pod)) for name, pod in pods.items()}
    wished = (("ScheduleAnyway", None), False)
    assert found == {name: wished if name in others else (over_zones, apart) for name in pods}


@pytest.mark.parametrize(
    ("variant", "alone"),
    [
        ("phase3-small", {"jaeger", "prometheus", "loki", "grafana"}),
        ("phase4-small", {"prometheus-agent", "postgres", "postgres-backup"}),
    ],
)
def test_what_keeps_the_only_copy_of_data_avoids_its_like(variant: str, alone: set[str]) -> None:
    """Only a wish: a single node takes them all, and a volume may leave no choice."""
    programs = made(variant).programs()
    marked = {one.name for one in programs if ONLY_COPY.items() <= one.template["metadata"]["labels"].items()}
    assert marked == alone
    for one in programs:
        if one.name in alone:
            (wish,) = one.pod["affinity"]["podAntiAffinity"][
                "preferredDuringSchedulingIgnoredDuringExecution"
            ]
            assert wish["podAffinityTerm"]["labelSelector"] == {"matchLabels": ONLY_COPY}
            assert not is_kept_apart(one.pod)


@PLACED
def test_strimzis_brokers_are_spread_as_the_settings_say(
    how: str, over_zones: tuple[str, str | None], *, apart: bool
) -> None:
    (pool,) = spread("phase3-strimzi", how).of("KafkaNodePool")
    pod = pool["spec"]["template"]["pod"]
    assert (spread_over_zones(pod), is_kept_apart(pod)) == (over_zones, apart)


@pytest.mark.parametrize(
    ("variant", "seconds"),
    [("phase3-medium", 5), ("phase3-load-balancer", 30), ("phase3-everything-set", 45)],
)
def test_pods_still_serve_while_whatever_calls_them_learns_that_they_stop(variant: str, seconds: int) -> None:
    """A cloud's load balancer takes longer to learn it than the cluster's nodes."""
    pod = made(variant).program("otel-gateway").pod
    (gateway,) = pod["containers"]
    assert gateway["lifecycle"]["preStop"] == {"sleep": {"seconds": seconds}}
    assert pod["terminationGracePeriodSeconds"] == seconds + 40


def test_stores_wait_only_for_the_cluster_to_learn_that_they_stop() -> None:
    """Nothing outside calls them, and a store of one pod is away for as long as that takes."""
    before, after = made("phase3-medium"), made("phase3-load-balancer", sizing={"preset": "medium"})
    for name in ("jaeger", "prometheus", "loki"):
        (store,) = after.program(name).pod["containers"]
        assert store["lifecycle"]["preStop"] == {"sleep": {"seconds": 5}}
    rolled = {one.name for one in after.programs() if one.template != before.program(one.name).template}
    assert rolled == {"grafana", "otel-gateway"}


@pytest.mark.parametrize(
    ("variant", "admitted"), [("phase3-everything-set", True), ("phase3-load-balancer", False)]
)
def test_a_certificate_for_ingresses_can_be_renewed(variant: str, *, admitted: bool) -> None:
    """Else it expires months after everything worked: cert-manager answers from the stack's namespace."""
    policies = [one for one in made(variant).of("NetworkPolicy") if SOLVER in str(one)]
    assert len(policies) == admitted
    for one in policies:
        assert one["spec"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 8089}]


@pytest.mark.parametrize("variant", ["phase3-medium", "phase4-small"])
def test_scratch_folders_keep_no_node_from_being_removed(variant: str) -> None:
    """Cluster Autoscaler counts an ``emptyDir`` as data, unless the pod says otherwise."""
    for program in made(variant).programs():
        scratch = [volume["name"] for volume in program.pod["volumes"] if "emptyDir" in volume]
        named = program.template["metadata"]["annotations"].get(EVICTABLE, "")
        assert named.split(",") == (scratch or [""]), program.name


@pytest.mark.parametrize(
    ("expression", "changed"),
    [
        ("sum by (job, topic) (a) or b", "sum by (n, job, topic) (a) or b"),
        ("max(a) BY(job)", "max(a) BY(n, job)"),
        ("count by () (a)", "count by (n) (a)"),
        ("sum without (by) (a{b='by (c)'}) / on (by) c", None),
        ("sum(a) + by", None),
    ],
)
def test_what_aggregations_keep_is_added_to(expression: str, changed: str | None) -> None:
    assert grouped_by(expression, "n") == (changed or expression)
