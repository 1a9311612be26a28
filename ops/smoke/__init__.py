"""Proof on live data: telemetry sent with the OpenTelemetry SDK is found in the stores themselves."""
