"""Settings of phase 4, and what another value of each replaces on a running stack."""

from __future__ import annotations

from tests.support.setting_changes import AWS, Change

SPLIT = {**AWS, "stores.shape": "split"}
ON_S3 = {
    "objectStorage": {
        "provider": "s3",
        "bucketPrefix": "acme",
        "s3": {"endpoint": "minio.minio.svc:9000", "credentialsSecret": "s3-credentials"},
    }
}
EXTERNAL_DATABASE = {
    **AWS,
    "postgres.mode": "external",
    "postgres.host": "db.example.com",
    "postgres.passwordSecret": "grafana-database",
}
SIGN_IN = {
    **AWS,
    "grafana.rootUrl": "https://grafana.example.com",
    "grafana.oidc.clientId": "grafana",
    "grafana.oidc.clientSecret": "grafana-oidc",
    "grafana.oidc.authUrl": "https://login.example.com/authorize",
    "grafana.oidc.tokenUrl": "https://login.example.com/token",
    "grafana.oidc.apiUrl": "https://login.example.com/userinfo",
}
ON_CALL = {"name": "on-call", "type": "pagerduty", "secret": "pagerduty"}
TEAM = {"name": "team", "type": "slack", "secret": "slack"}
MAILED = {
    **SPLIT,
    "alerting.contactPoints": [{"name": "ops", "type": "email", "addresses": ["ops@example.com"]}],
    "alerting.smtp.host": "mail.example.com",
    "alerting.smtp.fromAddress": "telemetry@example.com",
}
TOLD = {**SPLIT, "alerting.contactPoints": [ON_CALL, TEAM]}
STORES = "tempo mimir loki-cluster"
PARTS = (
    "tempo-distributor tempo-querier tempo-query-frontend tempo-compactor tempo-metrics-generator "
    "mimir-read mimir-backend loki-read loki-backend"
)

OBJECT_CHANGES = (
    # Object storage
    Change(
        of="prod",
        given=SPLIT,
        keys={"sizing.grafana.memory": "3GiB"},
        replaced="grafana mimir-read",
    ),
    *(
        Change(of="prod", given=SPLIT, keys=keys, replaced=PARTS)
        for keys in ({"stores.parts.memory": "4GiB"}, {"stores.parts.cpus": 4})
    ),
    Change(
        of="prod",
        given=SPLIT,
        keys={"alerting.contactPoints": [ON_CALL, TEAM]},
        replaced="grafana mimir-backend",
    ),
    Change(
        of="prod",
        given=TOLD,
        keys={"alerting.contactPoints": [TEAM]},
        replaced="grafana mimir-backend",
    ),
    Change(
        of="prod",
        given=MAILED,
        keys={
            "alerting.smtp.host": "smtp.example.net",
            "alerting.smtp.port": 465,
            "alerting.smtp.fromAddress": "alerts@example.com",
            "alerting.smtp.username": "alerts",
            "alerting.smtp.passwordSecret": "smtp",
        },
        replaced="grafana mimir-backend",
    ),
    Change(
        of="prod",
        given=MAILED,
        keys={"alerting.smtp.tls": False},
        replaced="grafana mimir-backend",
    ),
    Change(
        of="prod",
        given=AWS,
        keys={
            "retention.traces": "20d",
            "stores.tempo.memory": "9GiB",
            "stores.tempo.cpus": 3.5,
            "stores.tempo.volume": "300GiB",
            "stores.tempo.maxTraceSize": "10MB",
            "stores.tempo.maxAttributeSize": "128KiB",
            "stores.tempo.rate": "90MiB",
            "stores.tempo.serviceGraphSeries": 5000,
        },
        replaced="tempo mimir",
    ),
    Change(
        of="prod",
        given=AWS,
        keys={
            "stores.mimir.memory": "9GiB",
            "stores.mimir.cpus": 3.5,
            "stores.mimir.volume": "300GiB",
            "stores.mimir.maxSeries": 500_000,
            "stores.mimir.samplesPerSecond": 99_999,
            "stores.mimir.maxExemplars": 5000,
        },
        replaced="mimir",
    ),
    Change(
        of="prod",
        given=AWS,
        keys={"stores.mimir.rules": "api"},
        replaced="mimir grafana query-gateway",
    ),
    Change(
        of="prod",
        given=AWS,
        keys={"stores.mimir.addDeltas": True},
        replaced="otel-gateway otel-processor",
    ),
    Change(
        of="prod",
        given=AWS,
        keys={
            "stores.loki.cpus": 3.5,
            "stores.loki.volume": "300GiB",
            "stores.loki.memory": "9GiB",
            "stores.loki.rate": "99MiB",
            "stores.loki.maxStreams": 5000,
        },
        replaced="loki-cluster mimir",
    ),
    Change(
        of="prod",
        given=AWS,
        keys={"stores.tenant": "platform"},
        replaced="grafana kafka-topics loki-cluster mimir otel-processor postgres-backup prometheus-agent",
    ),
    Change(
        of="prod",
        given=AWS,
        keys={"grafana.replicas": 3},
        replaced="grafana mimir",
    ),
    Change(
        of="prod",
        given=AWS,
        keys={"grafana.profilesUrl": "http://pyroscope.profiles.svc:4040"},
        replaced="grafana",
    ),
    Change(
        of="prod",
        given=SIGN_IN,
        keys={
            "grafana.oidc.name": "Example",
            "grafana.oidc.clientId": "telemetry",
            "grafana.oidc.clientSecret": "oidc",
            "grafana.oidc.authUrl": "https://login.example.net/authorize",
            "grafana.oidc.tokenUrl": "https://login.example.net/token",
            "grafana.oidc.apiUrl": "https://login.example.net/userinfo",
            "grafana.oidc.scopes": ["openid"],
            "grafana.oidc.roleAttributePath": "'Viewer'",
            "grafana.oidc.allowedDomains": ["example.com"],
            "grafana.oidc.allowedGroups": ["sre"],
            "grafana.oidc.groupsAttributePath": "realm.groups",
            "grafana.oidc.only": True,
        },
        replaced="grafana",
    ),
    Change(
        of="prod",
        given=AWS,
        keys={"postgres.memory": "1GiB", "postgres.cpus": 3.5, "postgres.volume": "9GiB"},
        replaced="postgres",
    ),
    Change(
        of="prod",
        given=AWS,
        keys={"postgres.backupsKept": "20d", "postgres.backupsVolume": "9GiB"},
        replaced="postgres-backup",
    ),
    Change(
        of="prod",
        given=EXTERNAL_DATABASE,
        keys={
            "postgres.host": "db.example.net",
            "postgres.port": 5433,
            "postgres.tls": "require",
            "postgres.passwordSecret": "database",
        },
        replaced="grafana",
    ),
    Change(of="prod", given=EXTERNAL_DATABASE, keys={"postgres.caSecret": "rds-ca"}, replaced="grafana"),
    Change(
        of="prod",
        given=AWS,
        keys={"objectStorage.aws.infrequentAccessAfter": "45d", "objectStorage.aws.backupsKept": "60d"},
        touched=" ".join(f"object-storage-{purpose}-lifecycle" for purpose in ("logs", "metrics", "backups")),
    ),
    Change(
        of="prod",
        given=ON_S3,
        keys={
            "objectStorage.s3.region": "site-1",
            "objectStorage.s3.pathStyle": False,
            "objectStorage.s3.caSecret": "s3-ca",
            "objectStorage.s3.credentialsSecret": "s3-login",
        },
        replaced=f"{STORES} postgres-backup",
    ),
    Change(
        of="prod", given=ON_S3, keys={"objectStorage.s3.tls": False}, replaced=f"{STORES} postgres-backup"
    ),
    Change(
        of="prod",
        given=ON_S3,
        keys={
            "objectStorage.s3.storeSecrets.tempo": "tempo",
            "objectStorage.s3.storeSecrets.backups": "backups",
        },
        replaced="tempo postgres-backup",
    ),
    Change(
        of="prod",
        given=ON_S3,
        keys={"objectStorage.s3.storeSecrets.mimir": "mimir", "objectStorage.s3.storeSecrets.loki": "loki"},
        replaced="mimir loki-cluster",
    ),
)
