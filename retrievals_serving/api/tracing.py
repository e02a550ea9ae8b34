"""Traces: a span for each request, and under it one for each stage of the answer.

FastAPI opens those of requests, as children of the caller's `traceparent`; `Clock` those of stages.
Where `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector they are sent to it, by OTLP over HTTP; the
other variables of OpenTelemetry hold too. They never say what was searched for.
"""

import os
from importlib import import_module
from importlib.metadata import version
from threading import Thread

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace

from retrievals_serving.errors import SettingsError

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SERVICE = "retrievals"
FLUSH = 5.0  # seconds that a server which stops waits for a collector

# Of what FastAPI would tell by itself, only the span of a request: `/metrics` has the figures, and
# the messages of errors quote what was asked.
REQUEST_SPANS: TelemetryConfig = {
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def has_collector() -> bool:
    """Tell whether the environment has spans sent somewhere."""
    return bool(os.environ.get(ENDPOINT))


def require_exporter() -> None:
    """Refuse a collector that nothing can send spans to.

    Raises:
        SettingsError: What sends them is not installed.
    """
    try:
        import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ImportError as error:
        raise SettingsError(
            f"{ENDPOINT} names a collector of traces, and what sends them is not installed: "
            "`pip install 'retrievals[telemetry]'`, or unset it."
        ) from error


def export_spans() -> None:
    """Send the spans of this process where the environment says, unless something does already.

    Raises:
        SettingsError: A collector is named, and what sends spans to it is not installed.
    """
    provider = trace.get_tracer_provider()
    if not has_collector() or not isinstance(provider, trace.ProxyTracerProvider):
        return
    require_exporter()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create(
        {
            SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME", SERVICE),
            SERVICE_VERSION: version("retrievals"),
        }
    )
    # A process that ends waits for its collector in `flush`, and no longer.
    sending = TracerProvider(resource=resource, shutdown_on_exit=False)
    sending.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(sending)


def flush() -> None:
    """Send the spans that are not sent yet, as far as the collector takes them in time."""
    force_flush = getattr(trace.get_tracer_provider(), "force_flush", None)
    if force_flush is not None:
        sending = Thread(target=force_flush, name="flush", daemon=True)
        sending.start()
        sending.join(FLUSH)
