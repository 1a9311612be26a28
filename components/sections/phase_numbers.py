"""The first phases that have Kafka, run on Kubernetes, and keep their data in object storage."""

WITH_KAFKA, ON_KUBERNETES, ON_OBJECT_STORAGE = 2, 3, 4
