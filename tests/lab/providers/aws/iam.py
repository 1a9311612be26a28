"""``aws.iam``: roles, policies, and which role has which policy."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi_aws
from botocore.exceptions import ClientError
from types_boto3_iam.client import IAMClient

from tests.lab.providers.aws.connection import Connection, is_one_of, unless
from tests.lab.providers.aws.names import document_text, tag_list, tag_map, without_none
from tests.lab.providers.aws.resource import AwsResource
from tests.lab.providers.schema import resource_schema

GONE = "NoSuchEntity"
MOST_VERSIONS = 5
"""Versions that IAM keeps of a policy."""


class _IamResource(AwsResource):
    """What IAM's resources share."""

    @property
    def iam(self) -> IAMClient:
        return self.connection.iam()

    def find(self, resource_id: str, known: dict[str, Any]) -> dict[str, Any] | None:
        try:
            return self.described(resource_id, known)
        except ClientError as error:
            if is_one_of(error, (GONE,)):
                return None
            raise

    @abstractmethod
    def described(self, resource_id: str, known: dict[str, Any]) -> dict[str, Any] | None:
        """What IAM says of it."""


class Role(_IamResource):
    """A role; its policies are resources of their own."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(
            connection,
            "aws:iam/role:Role",
            resource_schema(pulumi_aws.iam.Role, pulumi_aws.iam.RoleArgs),
            force_new=frozenset({"name", "namePrefix", "path"}),
            defaults={"path": "/", "maxSessionDuration": 3600, "forceDetachPolicies": False},
            documents=frozenset({"assumeRolePolicy"}),
            autonamed=True,
            not_modelled=frozenset({"inlinePolicies", "managedPolicyArns", "namePrefix"}),
        )

    def make(self, inputs: dict[str, Any]) -> str:
        arguments = {
            "RoleName": inputs["name"],
            "AssumeRolePolicyDocument": inputs["assumeRolePolicy"],
            "Path": inputs.get("path"),
            "Description": inputs.get("description"),
            "MaxSessionDuration": inputs.get("maxSessionDuration"),
            "PermissionsBoundary": inputs.get("permissionsBoundary"),
            "Tags": tag_list(inputs.get("tags")),
        }
        self.iam.create_role(**without_none(arguments))
        return str(inputs["name"])

    def described(self, resource_id: str, known: dict[str, Any]) -> dict[str, Any] | None:
        del known
        role = self.iam.get_role(RoleName=resource_id)["Role"]
        tags = tag_map(list(role.get("Tags", [])))
        return {
            "name": role["RoleName"],
            "arn": role["Arn"],
            "uniqueId": role["RoleId"],
            "createDate": role["CreateDate"].isoformat(),
            "path": role["Path"],
            "maxSessionDuration": role.get("MaxSessionDuration", 3600),
            "assumeRolePolicy": document_text(role["AssumeRolePolicyDocument"]),
            "tags": tags,
            "tagsAll": tags,
        }

    def change(self, resource_id: str, state: dict[str, Any], news: dict[str, Any]) -> None:
        self.iam.update_assume_role_policy(RoleName=resource_id, PolicyDocument=news["assumeRolePolicy"])
        self.iam.update_role(
            RoleName=resource_id,
            Description=news.get("description", ""),
            MaxSessionDuration=news.get("maxSessionDuration", 3600),
        )
        if news.get("permissionsBoundary"):
            self.iam.put_role_permissions_boundary(
                RoleName=resource_id, PermissionsBoundary=news["permissionsBoundary"]
            )
        elif state.get("permissionsBoundary"):
            self.iam.delete_role_permissions_boundary(RoleName=resource_id)
        gone = sorted(state.get("tags", {}).keys() - news.get("tags", {}).keys())
        self.iam.untag_role(RoleName=resource_id, TagKeys=gone)
        self.iam.tag_role(RoleName=resource_id, Tags=tag_list(news.get("tags")))

    def remove(self, resource_id: str, state: dict[str, Any]) -> None:
        with unless(GONE):
            if state.get("forceDetachPolicies"):
                for attached in self.iam.list_attached_role_policies(RoleName=resource_id)[
                    "AttachedPolicies"
                ]:
                    self.iam.detach_role_policy(RoleName=resource_id, PolicyArn=attached["PolicyArn"])
                for name in self.iam.list_role_policies(RoleName=resource_id)["PolicyNames"]:
                    self.iam.delete_role_policy(RoleName=resource_id, PolicyName=name)
            self.iam.delete_role(RoleName=resource_id)

    def _detach_policies(self, role: str) -> None:
        for attached in self.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            self.iam.detach_role_policy(RoleName=role, PolicyArn=attached["PolicyArn"])
        for name in self.iam.list_role_policies(RoleName=role)["PolicyNames"]:
            self.iam.delete_role_policy(RoleName=role, PolicyName=name)


class Policy(_IamResource):
    """A policy of its own; its id is its ARN, and a changed document is a new version."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(
            connection,
            "aws:iam/policy:Policy",
            resource_schema(pulumi_aws.iam.Policy, pulumi_aws.iam.PolicyArgs),
            force_new=frozenset({"name", "namePrefix", "path", "description"}),
            defaults={"path": "/"},
            documents=frozenset({"policy"}),
            autonamed=True,
            not_modelled=frozenset({"delayAfterPolicyCreationInMs", "namePrefix"}),
        )

    def make(self, inputs: dict[str, Any]) -> str:
        arguments = {
            "PolicyName": inputs["name"],
            "PolicyDocument": inputs["policy"],
            "Path": inputs.get("path"),
            "Description": inputs.get("description"),
            "Tags": tag_list(inputs.get("tags")),
        }
        return str(self.iam.create_policy(**without_none(arguments))["Policy"]["Arn"])

    def described(self, resource_id: str, known: dict[str, Any]) -> dict[str, Any] | None:
        del known
        policy = self.iam.get_policy(PolicyArn=resource_id)["Policy"]
        version = policy["DefaultVersionId"]
        document = self.iam.get_policy_version(PolicyArn=resource_id, VersionId=version)["PolicyVersion"]
        tags = tag_map(list(policy.get("Tags", [])))
        return {
            "name": policy["PolicyName"],
            "arn": policy["Arn"],
            "policyId": policy["PolicyId"],
            "path": policy["Path"],
            "attachmentCount": policy["AttachmentCount"],
            "policy": document_text(document["Document"]),
            "tags": tags,
            "tagsAll": tags,
        }

    def change(self, resource_id: str, state: dict[str, Any], news: dict[str, Any]) -> None:
        old = list(self._other_versions(resource_id))
        if len(old) == MOST_VERSIONS - 1:
            self.iam.delete_policy_version(PolicyArn=resource_id, VersionId=old[-1])
        self.iam.create_policy_version(
            PolicyArn=resource_id, PolicyDocument=news["policy"], SetAsDefault=True
        )
        gone = sorted(state.get("tags", {}).keys() - news.get("tags", {}).keys())
        self.iam.untag_policy(PolicyArn=resource_id, TagKeys=gone)
        self.iam.tag_policy(PolicyArn=resource_id, Tags=tag_list(news.get("tags")))

    def remove(self, resource_id: str, state: dict[str, Any]) -> None:
        del state
        with unless(GONE):
            for version in self._other_versions(resource_id):
                self.iam.delete_policy_version(PolicyArn=resource_id, VersionId=version)
            self.iam.delete_policy(PolicyArn=resource_id)

    def _other_versions(self, arn: str) -> Iterator[str]:
        """Versions that are not in force, newest first."""
        versions = self.iam.list_policy_versions(PolicyArn=arn)["Versions"]
        ordered = sorted(versions, key=lambda version: version["CreateDate"], reverse=True)
        return (version["VersionId"] for version in ordered if not version["IsDefaultVersion"])


class RolePolicy(_IamResource):
    """A policy that is part of one role; its id is ``role:name``."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(
            connection,
            "aws:iam/rolePolicy:RolePolicy",
            resource_schema(pulumi_aws.iam.RolePolicy, pulumi_aws.iam.RolePolicyArgs),
            force_new=frozenset({"name", "namePrefix", "role"}),
            documents=frozenset({"policy"}),
            autonamed=True,
            not_modelled=frozenset({"namePrefix"}),
        )

    def make(self, inputs: dict[str, Any]) -> str:
        self._put(inputs)
        return f"{inputs['role']}:{inputs['name']}"

    def described(self, resource_id: str, known: dict[str, Any]) -> dict[str, Any] | None:
        del known
        role, name = resource_id.split(":")
        found = self.iam.get_role_policy(RoleName=role, PolicyName=name)
        return {"role": role, "name": name, "policy": document_text(found["PolicyDocument"])}

    def change(self, resource_id: str, state: dict[str, Any], news: dict[str, Any]) -> None:
        del resource_id, state
        self._put(news)

    def remove(self, resource_id: str, state: dict[str, Any]) -> None:
        del state
        role, name = resource_id.split(":")
        with unless(GONE):
            self.iam.delete_role_policy(RoleName=role, PolicyName=name)

    def _put(self, inputs: Mapping[str, Any]) -> None:
        self.iam.put_role_policy(
            RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
        )


class RolePolicyAttachment(_IamResource):
    """A policy attached to a role; every change replaces."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(
            connection,
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            resource_schema(pulumi_aws.iam.RolePolicyAttachment, pulumi_aws.iam.RolePolicyAttachmentArgs),
            force_new=frozenset({"role", "policyArn"}),
        )

    def make(self, inputs: dict[str, Any]) -> str:
        self.iam.attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return f"{inputs['role']}/{inputs['policyArn']}"

    def described(self, resource_id: str, known: dict[str, Any]) -> dict[str, Any] | None:
        role, _, arn = resource_id.partition("/")
        attached = self.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        known_arns = {policy["PolicyArn"] for policy in attached}
        return {"role": known["role"], "policyArn": arn} if arn in known_arns else None

    def change(self, resource_id: str, state: dict[str, Any], news: dict[str, Any]) -> None:
        del state, news
        raise AssertionError(f"{resource_id}: every change of an attachment replaces it")

    def remove(self, resource_id: str, state: dict[str, Any]) -> None:
        del resource_id
        with unless(GONE):
            self.iam.detach_role_policy(RoleName=state["role"], PolicyArn=state["policyArn"])
