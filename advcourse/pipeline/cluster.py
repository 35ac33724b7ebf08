"""Processes of this machine or of others, as a dask.distributed cluster: what notebooks run and are graded on."""

import contextlib
import logging
import signal

import dask
import distributed


@contextlib.contextmanager
def cluster(scheduler, workers):
    """A client of the cluster at the address `scheduler`, or of a cluster of `workers` processes on this machine."""
    for name in ("distributed", "distributed.client"):  # what went wrong with a notebook is in its Result
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if scheduler:
        try:
            client = distributed.Client(scheduler, timeout=10)
        except (OSError, TimeoutError, ValueError) as error:
            raise OSError(f"no dask.distributed cluster at {scheduler}: {error}") from None
        with client:
            if not client.scheduler_info()["workers"]:
                raise OSError(f"the dask.distributed cluster at {scheduler} has no workers; start some with: dask "
                              f"worker {scheduler}")
            yield client
        return
    # Threads and memory are the kernels' affair; the workers that hold them need no limits of their own. dask serves
    # its state over HTTP in any case: then on a port that is free, and to this machine alone.
    with dask.config.set({"distributed.nanny.pre-spawn-environ": {}}):
        with deaf_to_interrupts():
            client = distributed.Client(n_workers=workers, threads_per_worker=1, processes=True, memory_limit=None,
                                        host="127.0.0.1", dashboard_address="127.0.0.1:0",
                                        silence_logs=logging.CRITICAL)
        with client:
            yield client


@contextlib.contextmanager
def deaf_to_interrupts():
    """Threads and processes that begin in this block never hear of a Ctrl-C: a terminal sends it to all, and it is
    for the one that asked for the others to end them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # started later, it would lift the block again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
