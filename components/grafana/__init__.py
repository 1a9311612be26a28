"""What a Grafana of one or more replicas is provisioned with."""
