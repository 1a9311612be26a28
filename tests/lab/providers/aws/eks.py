"""``aws.eks.PodIdentityAssociation``, for which moto has no calls: kept as a tag of the cluster."""

from __future__ import annotations

import hashlib
from typing import Any

import pulumi_aws
from botocore.exceptions import ClientError
from types_boto3_eks.client import EKSClient

from tests.lab.providers.aws.connection import Connection, is_one_of, unless
from tests.lab.providers.aws.resource import AwsResource
from tests.lab.providers.errors import ProviderError
from tests.lab.providers.schema import resource_schema

GONE = "ResourceNotFoundException"


class PodIdentityAssociation(AwsResource):
    """Which role the pods of a service account get. Cluster and role must exist; a second one is refused."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(
            connection,
            "aws:eks/podIdentityAssociation:PodIdentityAssociation",
            resource_schema(pulumi_aws.eks.PodIdentityAssociation, pulumi_aws.eks.PodIdentityAssociationArgs),
            force_new=frozenset({"clusterName", "namespace", "serviceAccount"}),
            not_modelled=frozenset({"disableSessionTags", "policy", "targetRoleArn"}),
        )

    def make(self, inputs: dict[str, Any]) -> str:
        client, cluster, key = self.connection.eks(inputs["region"]), inputs["clusterName"], _key(inputs)
        if key in _tags(client, cluster):
            raise ProviderError(
                f"creating {key} in cluster {cluster}: ResourceInUseException: Association already exists"
            )
        self._put(client, inputs)
        return _association_id(cluster, key)

    def find(self, resource_id: str, known: dict[str, Any]) -> dict[str, Any] | None:
        client, cluster = self.connection.eks(known["region"]), known["clusterName"]
        try:
            role = _tags(client, cluster).get(_key(known))
        except ClientError as error:
            if is_one_of(error, (GONE,)):
                return None
            raise
        if role is None:
            return None
        owner = _arn(client, cluster).replace(":cluster/", ":podidentityassociation/")
        return {
            "associationId": resource_id,
            "associationArn": f"{owner}/{resource_id}",
            "externalId": "",
            "roleArn": role,
        }

    def change(self, resource_id: str, state: dict[str, Any], news: dict[str, Any]) -> None:
        del resource_id, state
        self._put(self.connection.eks(news["region"]), news)

    def remove(self, resource_id: str, state: dict[str, Any]) -> None:
        del resource_id
        client = self.connection.eks(state["region"])
        with unless(GONE):
            client.untag_resource(resourceArn=_arn(client, state["clusterName"]), tagKeys=[_key(state)])

    def _put(self, client: EKSClient, inputs: dict[str, Any]) -> None:
        self.connection.iam().get_role(RoleName=inputs["roleArn"].rpartition("/")[2])
        arn = _arn(client, inputs["clusterName"])
        client.tag_resource(resourceArn=arn, tags={_key(inputs): inputs["roleArn"]})


def _key(values: dict[str, Any]) -> str:
    return f"pod-identity/{values['namespace']}/{values['serviceAccount']}"


def _association_id(cluster: str, key: str) -> str:
    return f"a-{hashlib.sha256(f'{cluster}/{key}'.encode()).hexdigest()[:17]}"


def _arn(client: EKSClient, cluster: str) -> str:
    return client.describe_cluster(name=cluster)["cluster"]["arn"]


def _tags(client: EKSClient, cluster: str) -> dict[str, str]:
    return dict(client.describe_cluster(name=cluster)["cluster"].get("tags", {}))
