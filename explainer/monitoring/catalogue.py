"""Every metric there is: its name, what it says, and its labels; nothing else can be measured."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from explainer.monitoring.buckets import FAST_SECONDS, GAPS, ROWS, SECONDS

Kind = Literal["counter", "gauge", "histogram"]
STAGES: Final = ("admit", "registry", "cache", "queue", "compute", "disclose", "record")


@dataclass(frozen=True, slots=True)
class Metric:
    """`bounds` are the upper ends of a histogram's buckets; `read` marks what is looked up when somebody reads.

    A gauge is added up over all living processes, or, where each of them sees the same, the `largest` is taken. A
    counter with one label is shown with 0 for its `known` values: the step to the first 1 would be no increase else.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    read: bool = False
    largest: bool = False
    known: tuple[str, ...] = ()


def _counter(name: str, text: str, *labels: str, read: bool = False, known: tuple[str, ...] = ()) -> Metric:
    return Metric(f"explainer_{name}_total", "counter", text, labels, read=read, known=known)


def _gauge(name: str, text: str, *labels: str, read: bool = False, largest: bool = False) -> Metric:
    return Metric(f"explainer_{name}", "gauge", text, labels, read=read, largest=largest)


def _histogram(name: str, text: str, bounds: tuple[float, ...], *labels: str) -> Metric:
    return Metric(f"explainer_{name}", "histogram", text, labels, bounds)


# requests
REQUESTS = _counter("http_requests", "Requests answered.", "method", "route", "status")
LATENCY = _histogram("http_request_duration_seconds", "Time to answer a request.", SECONDS, "route", "status_class")
IN_FLIGHT = _gauge("http_requests_in_flight", "Requests that are being answered.")
PROBLEMS = _counter("problems", "Answers that are a problem: refused, failed or overloaded.", "code", "status")
STAGE = _histogram("stage_duration_seconds", "Time spent in each stage of an explanation.", FAST_SECONDS, "stage")

# explanations
ROWS_ASKED = _counter("explained_rows", "Rows explained, by whether the cache knew them.", "model", "cache")
EXPLANATIONS = _counter("explanations_computed", "Explanations computed.", "model", "method", "output")
EVALUATIONS = _counter("evaluations", "Rows that models evaluated to compute explanations.", "model", "method")
GAP = _histogram("additivity_gap", "How far attributions are from adding up, in units of the output.", GAPS, "model")
TOLERANCE_MISSES = _counter("tolerance_misses", "Explanations that missed the asked tolerance.", "model", "method")
DEADLINES = _counter("deadlines_reached", "Explanations that the clock ended.", "model", "method")
WARNINGS = _counter("warnings", "Warnings in computed explanations and in predictions.", "model", "code")

# cache
LOOKUPS = _counter("cache_lookups", "Answers looked up in the cache.", "tier", "outcome")
CACHE_ERRORS = _counter("cache_errors", "Failures of the cache, each of which cost a computation.", "tier")
CACHE_OWN = _gauge("cache_memory_bytes", "What the cache holds in the memory of all processes.")
CACHE_SHARED = _gauge("cache_shared_bytes", "What a tier holds that processes share.", "tier", largest=True)

# queues and workers
QUEUE_LENGTH = _gauge("queue_length", "Requests that wait for a worker.", "model")
QUEUE_WAIT = _histogram("queue_wait_seconds", "How long requests waited for a worker.", FAST_SECONDS, "model")
BATCH_ROWS = _histogram("batch_rows", "Rows that one worker evaluated together.", ROWS, "model")
BATCH_TIME = _histogram("batch_duration_seconds", "Time in which a worker answered one batch.", FAST_SECONDS, "model")
WORKERS = _gauge("workers", "Worker processes that live.", "model", "version")
STARTS = _counter("worker_starts", "Worker processes started.", "model", "version")
RESTARTS = _counter("worker_restarts", "Worker processes started in the place of one that ended.", "model", "version")
DEATHS = _counter("worker_deaths", "Worker processes that ended unasked.", "model", "version", "reason")
OUT_OF_SERVICE = _gauge("model_out_of_service", "1 while a version is out of service.", "model", "version")
WORKER_MEMORY = _gauge(
    "worker_resident_memory_bytes", "Resident memory of a worker.", "model", "version", "worker", read=True
)
WORKER_CPU = _counter(
    "worker_cpu_seconds", "CPU time of a worker; begins anew with its process.", "model", "version", "worker", read=True
)

# exports
EXPORT_ROWS = _counter("export_rows", "Rows that exports of the service have gone through.", "model", "outcome")
EXPORTS = _gauge("exports", "Exports of the service in each state.", "state", read=True)

# records
LEDGER_ENTRIES = _counter("ledger_entries", "Entries written to the ledger.")
LEDGER_FAILURES = _counter("ledger_failures", "Entries that could not be written; each request was answered 503.")
LEDGER_COMMIT = _histogram("ledger_commit_duration_seconds", "Time until an entry was on disk.", FAST_SECONDS)
LEDGER_HEAD = _gauge("ledger_head", "Number of the ledger's last entry; it never falls.", read=True)
VERIFICATIONS = _counter("ledger_verifications", "Verifications of the ledger.", "outcome", known=("whole", "broken"))
RECEIPTS = _counter("receipts", "Receipts given with answers.")

# access
BUDGETS_USED_UP = _counter("budget_refusals", "Requests refused because a budget was used up.", "model")
AGREEMENT = _gauge(
    "extraction_agreement", "What a clone made of one principal's answers would agree, the highest.", "model", read=True
)
SIGN_INS = _counter("sign_ins", "Attempts of people to sign in.", "outcome", known=("admitted", "refused", "throttled"))

# the house
READY = _gauge("ready", "1 when the service can answer, as /readyz says.", read=True)
REGISTERED = _gauge("models_registered", "Models of the registry.", read=True)
BUILD = _gauge("build_info", "Always 1; says which program runs.", "version", "python", read=True)
PROCESSES = _gauge("processes", "Processes of the service that live and have counted something.", "role", read=True)
PROCESS_START = _gauge("process_start_time_seconds", "When a process started, Unix time.", "role", "process", read=True)
PROCESS_MEMORY = _gauge("process_resident_memory_bytes", "Resident memory of a process.", "role", "process", read=True)
PROCESS_CPU = _counter(
    "process_cpu_seconds", "CPU time of a process; begins anew with it.", "role", "process", read=True
)
DISK_FREE = _gauge("disk_free_bytes", "Space left where the service writes.", read=True)
DISK_SIZE = _gauge("disk_size_bytes", "Size of the disk where the service writes.", read=True)

METRICS = MappingProxyType({m.name: m for m in tuple(globals().values()) if isinstance(m, Metric)})
