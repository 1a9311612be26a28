"""The stores of phase 4 and the S3 service that they write to in the lab."""

from __future__ import annotations

from tests.lab.goprogram import GoProgram

_OLD_LINKNAMES = ("-checklinkname=0",)
"""Lets modules reach into Go's runtime as they did when they were released."""

MIMIR = GoProgram(
    name="mimir",
    version="3.1.0-aced80d74930",
    module="github.com/grafana/mimir",
    module_version="v1.3.1-0.20260423142704-aced80d74930",
    binaries={"mimir": "github.com/grafana/mimir/cmd/mimir"},
    phase=4,
    strings={
        "github.com/grafana/mimir/pkg/util/version.Version": "3.1.0",
        "github.com/grafana/mimir/pkg/util/version.Revision": "aced80d74930",
        "github.com/grafana/mimir/pkg/util/version.Branch": "HEAD",
    },
    replaces={
        "github.com/influxdata/influxdb/v2": "github.com/influxdata/influxdb/v2@v2.7.12",
        "github.com/twmb/franz-go/pkg/kadm": "github.com/twmb/franz-go/pkg/kadm@v1.17.2",
    },
    linker=_OLD_LINKNAMES,
    disk_gb=0.3,
    scratch_gb=4.0,
)
TEMPO = GoProgram(
    name="tempo",
    version="2.8-87c2dc380cec",
    module="github.com/grafana/tempo",
    module_version="v1.5.1-0.20250529124718-87c2dc380cec",
    checksums=(
        "h1:wnzJov9RhSHGaTYGzTygL4qq986fLen8xSqnQgaMd28=",
        "h1:j1IY7J2rUz7TcTjFVVx6HCpyTlYOJPtXuGRZ7sI+vSo=",
    ),
    binaries={"tempo": "github.com/grafana/tempo/cmd/tempo"},
    phase=4,
    strings={
        "main.Version": "2.8.0",
        "main.Revision": "87c2dc380cec",
        "main.Branch": "HEAD",
    },
    disk_gb=0.3,
    scratch_gb=3.0,
)
MINIO = GoProgram(
    name="minio",
    version="2025-09-07",
    module="github.com/minio/minio",
    module_version="v0.0.0-20250907161309-07c3a429bfed",
    binaries={"minio": "github.com/minio/minio"},
    phase=4,
    strings={
        "github.com/minio/minio/cmd.Version": "2025-09-07T16:13:09Z",
        "github.com/minio/minio/cmd.ReleaseTag": "RELEASE.2025-09-07T16-13-09Z",
        "github.com/minio/minio/cmd.CommitID": "07c3a429bfed",
        "github.com/minio/minio/cmd.ShortCommitID": "07c3a429bfed",
    },
    disk_gb=0.25,
    scratch_gb=2.0,
)

STORAGE_PROGRAMS: tuple[GoProgram, ...] = (MIMIR, TEMPO, MINIO)
