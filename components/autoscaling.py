"""How the number of replicas is scaled: its bounds, and what is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from components.values.quantities import Duration
from components.values.secret_text import SecretText


@dataclass(frozen=True, kw_only=True)
class KafkaLogin:
    """How the program that measures the lag logs in.

    Attributes:
        mechanism: SASL mechanism.
        username: SASL user.
        password: SASL password.
    """

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
    username: str
    password: SecretText


POLL_INTERVAL = Duration(15)
"""How often a platform measures the lag."""


@dataclass(frozen=True, kw_only=True)
class KafkaLag:
    """Consumer lag by which a program scales, of partitions whose reader has advanced since the last check.

    Attributes:
        servers: ``host:port`` of the brokers.
        topics: consumer group -> topic that it reads.
        each: records of lag that justify one more replica.
        held: consumer group -> records that each replica, at the declared rate, has read but not yet
            committed; they count as lag, but justify no further replica.
        tls: the brokers' ports are encrypted.
        authority: certificate of the CA that signs the brokers' own; None for a public CA.
        login: how to log in; None where no login is needed.
    """

    servers: Sequence[str]
    topics: Mapping[str, str]
    each: int
    held: Mapping[str, int]
    tls: bool
    authority: SecretText | None
    login: KafkaLogin | None


@dataclass(frozen=True, kw_only=True)
class Autoscaling:
    """Bounds between which a platform may change the number of replicas.

    Attributes:
        maximum: most replicas; the minimum is the workload's own number.
        cpu: share of the CPU limit above which it adds one.
        memory: the same for the memory limit; None where memory does not reflect load.
        lag: scale by this instead.
    """

    maximum: int
    cpu: float
    memory: float | None = None
    lag: KafkaLag | None = None
