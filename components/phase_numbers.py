"""The first phase that has Kafka, that runs on Kubernetes, and that keeps its data in object storage."""

WITH_KAFKA, ON_KUBERNETES, ON_OBJECT_STORAGE = 2, 3, 4
