"""Where a broker's log goes."""

from __future__ import annotations

from tests.support.docker_site import Site


def test_a_broker_logs_to_standard_output_and_writes_no_file(site: Site) -> None:
    """The folder of the image's log files is small, and a pod that fills it is evicted."""
    assert site.run("kafka-1", "ls", "/opt/kafka/logs") == ""
    said = site.container("kafka-1").logs().decode(errors="replace")
    assert "Kafka Server started" in said
    assert "StatusLogger" not in said, "Log4j does not accept its configuration"
