"""Sends again a record that was passed over, through the endpoint that applications use.

The gateway takes the record's own bytes, in several requests if they are too many for one, and answers only
when Kafka has them on all in-sync replicas. It finds the same topic by the signal and, for traces, the same
key by the trace id. That works with every Kafka, whatever its encryption and login; what cannot be decoded is
refused here, not passed over a second time.

Traces that tail sampling had kept go the same way, since Kafka's tools write lines and not bytes: they are
counted and sampled once more. The share is chosen by trace id and keeps what it kept; an error remains one. A
trace that is slow only as a whole may be dropped if its spans are in several records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import httpx
from tenacity import RetryError, Retrying, retry_if_result, stop_after_attempt, wait_exponential

from components.kafka.topics import SAMPLED
from ops.errors import OpsError
from ops.kafka.offsets import Partition, end_offsets
from ops.kafka.records import NoRecordError, Position, Record, read_record
from ops.kafka.splitting import TooLargeError, split
from ops.kafka.telemetry import decode, signal_of
from ops.kafka.tools import Tools
from ops.web import problem

SEND_SECONDS = 30.0
"""Longest wait for one answer, above the gateway's own limit for Kafka (9 s, see gateway.yaml)."""

RETRIED = {429, 502, 503, 504}
"""OTLP: answers after which a client tries again."""

ATTEMPTS = 5

Outcome = Literal["would be sent", "sent", "gone", "refused", "failed", "maybe sent", "not tried"]


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What became of one record.

    Attributes:
        record: where it was.
        outcome: gone: retention deleted it, or it never existed. refused: it cannot be delivered, or not all
            of its requests, the detail says why. failed: Kafka or the stack's address did not answer. maybe
            sent: the command was told to end meanwhile. not tried: one before it is one of these two.
        detail: what was found.
    """

    record: str
    outcome: Outcome
    detail: str

    @property
    def good(self) -> bool:
        """It was sent, or would be."""
        return self.outcome in {"sent", "would be sent"}

    def as_dict(self) -> dict[str, str]:
        """The form for machines."""
        return asdict(self)


class EndedError(Exception):
    """The command was told to end before all records were tried.

    Attributes:
        outcomes: of all records.
        told: how it was told.
    """

    def __init__(self, outcomes: list[Replayed], told: KeyboardInterrupt | SystemExit) -> None:
        """Keep both."""
        super().__init__("told to end")
        self.outcomes = outcomes
        self.told = told


def replay(
    tools: Tools, positions: list[Position], endpoint: str, *, limit: int, send: bool
) -> list[Replayed]:
    """Read records again and send them, or only say what would be sent.

    When Kafka or the address stops answering, the outcomes so far are still given: what was sent must
    not be sent twice.

    Args:
        tools: Kafka's tools.
        positions: the records; one that is named twice is taken once.
        endpoint: base address of the stack's OTLP receiver over HTTP.
        limit: bytes of the largest request that the stack accepts.
        send: really send.

    Raises:
        OpsError: nothing was tried: Kafka does not answer, or a record is in no topic of the stack.
        EndedError: told to end meanwhile.
    """
    for position in positions:
        signal_of(position.topic)
    earliest = end_offsets(tools, "earliest")
    outcomes: list[Replayed] = []
    wanted = list(dict.fromkeys(positions))
    try:
        with httpx.Client(timeout=SEND_SECONDS) as client:
            for position in wanted:
                if outcomes and outcomes[-1].outcome in {"failed", "not tried"}:
                    outcomes.append(_told(position, "not tried", "an earlier one failed"))
                elif missing := _missing(position, earliest):
                    outcomes.append(_told(position, "gone", missing))
                else:
                    outcomes.append(_replay_one(tools, client, position, endpoint, limit=limit, send=send))
    except (KeyboardInterrupt, SystemExit) as told:
        raise EndedError([*outcomes, *_left(wanted[len(outcomes) :], send=send)], told) from told
    return outcomes


def _left(positions: list[Position], *, send: bool) -> Iterator[Replayed]:
    """Tell of the record at which the command was told to end, and of those after it."""
    for number, position in enumerate(positions):
        if send and number == 0:
            yield _told(position, "maybe sent", "interrupted while it was read or sent")
        else:
            yield _told(position, "not tried", "interrupted before")


def _told(position: Position, outcome: Outcome, detail: str) -> Replayed:
    return Replayed(record=str(position), outcome=outcome, detail=detail)


def _missing(position: Position, earliest: Mapping[Partition, int]) -> str:
    oldest = earliest.get((position.topic, position.partition))
    if oldest is None:
        return "no such partition"
    return f"retention has deleted all before {oldest}" if position.offset < oldest else ""


def _replay_one(
    tools: Tools, client: httpx.Client, position: Position, endpoint: str, *, limit: int, send: bool
) -> Replayed:
    try:
        return _send(client, read_record(tools, position), endpoint, limit=limit, send=send)
    except NoRecordError as error:
        return _told(position, "gone", error.message)
    except TooLargeError as error:
        return _told(position, "refused", f"{error.message}; {error.advice}")
    except OpsError as error:
        return _told(position, "failed", f"{error.message}; {error.advice}")


def _send(client: httpx.Client, record: Record, endpoint: str, *, limit: int, send: bool) -> Replayed:
    position, signal = record.position, signal_of(record.position.topic)
    content = decode(signal, record.value)
    if content.problem:
        return _told(position, "refused", content.problem)
    requests = split(signal, record.value, limit)
    several = f" in {len(requests)} requests" if len(requests) > 1 else ""
    again = ", to be sampled once more" if position.topic == SAMPLED else ""
    size = f"{content.items} {signal} items, {len(record.value):,} bytes{several}{again}"
    if not send:
        return _told(position, "would be sent", size)
    refusal = _post_all(client, f"{endpoint.rstrip('/')}/v1/{signal}", requests, limit)
    return _told(position, "refused", refusal) if refusal else _told(position, "sent", size)


def _post_all(client: httpx.Client, url: str, requests: list[bytes], limit: int) -> str:
    """Send requests one after another, up to the first that is not accepted; tell why it was not.

    Raises:
        OpsError: the address does not answer.
    """
    for accepted, request in enumerate(requests):
        before = f"; {accepted} of {len(requests)} requests were accepted before" if len(requests) > 1 else ""
        try:
            answer = _post(client, url, request)
        except OpsError as error:
            raise OpsError(f"{error.message}{before}", error.advice) from error
        if not answer.is_success:
            return f"HTTP {answer.status_code}: {_reason(answer, len(request), limit)}{before}"
    return ""


def _reason(answer: httpx.Response, size: int, limit: int) -> str:
    if answer.status_code != 413:
        return answer.reason_phrase
    return (
        f"{size:,} bytes are too large there, though ingest.maxMessageSize is {limit:,}; "
        "make up, if that was changed"
    )


def _post(client: httpx.Client, url: str, value: bytes) -> httpx.Response:
    def post() -> httpx.Response:
        return client.post(url, content=value, headers={"content-type": "application/x-protobuf"})

    retrying = Retrying(
        retry=retry_if_result(lambda answer: answer.status_code in RETRIED),
        wait=wait_exponential(max=10),
        stop=stop_after_attempt(ATTEMPTS),
    )
    try:
        return retrying(post)
    except RetryError as error:
        answer: httpx.Response = error.last_attempt.result()
        return answer
    except httpx.HTTPError as error:
        never = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
        raise OpsError(
            f"{url}: {problem(error)}{'' if never else '; it may have arrived'}",
            "make health names the program that is at fault",
        ) from error
