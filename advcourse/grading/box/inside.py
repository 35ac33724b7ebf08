"""The process that boxes are forked from, and what runs in a box: a student's functions, called on the grader's probes.

    python -P -m advcourse.grading.box.inside FD [REQUEST]

FD: a Unix socket on which the grader asks for boxes; with a REQUEST, this process, which bubblewrap has walled in,
becomes the box itself. The process that forks has imported PyTorch, so that a box starts in milliseconds, and knows
nothing that a student may not: no reference, no check, no seed, no other submission.
"""

import gc
import json
import os
import resource
import signal
import socket
import sys
import types
import warnings

import numpy  # noqa: F401 (imported before the fork: a box then has it at once)
import torch

from advcourse.exercises import loading
from advcourse.exercises.attempt import attempt, signature_problem
from advcourse.grading.box import values, walls, wire
from advcourse.grading.box.limits import Limits

SECRET = ("advcourse.exercises.notebook_", "advcourse.exercises.probes", "advcourse.attacks", "advcourse.handin")


def alone(descriptor, request):
    """Be the one box of this process."""
    torch.set_num_threads(1)
    silence(keep=(descriptor,))
    walls.enter_bubblewrap(Limits(**request["limits"]), request["seconds"], request["size"])
    tell(descriptor, {"ready": True})
    serve(wire.Peer(socket.socket(fileno=descriptor)))


def main(descriptor):
    """Fork a box whenever the grader asks, until it closes the socket."""
    secrets = [name for name in sys.modules if name.startswith(SECRET)]
    if secrets:
        raise RuntimeError(f"the box must not know {', '.join(secrets)}")
    control = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that are through
    torch.set_num_threads(1)
    warm_up()
    gc.freeze()
    number = 0
    while True:
        request, handles, _, _ = socket.recv_fds(control, 1 << 16, 1)
        if not request:
            return
        number += 1
        if os.fork() == 0:
            try:
                control.close()
                become_box(json.loads(request), handles[0], number)
            except BaseException as error:
                tell(handles[0], {"failed": f"{type(error).__name__}: {error}"[:500]})
            finally:
                os._exit(1)
        for handle in handles:
            os.close(handle)


def warm_up():
    """What PyTorch imports and sets up at the first use, it has then, and so has every box."""
    def function(model, x):
        x = x.clone().requires_grad_()
        gradient = torch.autograd.grad(torch.nn.functional.cross_entropy(model(x), torch.zeros(2, dtype=torch.long)),
                                       x)[0]
        return (x + gradient.sign()).clamp(0, 1).detach()

    peer, tensors = wire.Peer(None), {}
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3), torch.nn.ReLU())
    tree = values.pack(network, tensors, peer.offer)
    x = torch.rand(2, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    for _ in range(2):
        attempt(function, {"model": values.unpack(tree, dict(tensors), peer.asked), "x": x})


def tell(handle, message):
    """Send the grader a line about how the box stands, before the first message proper."""
    os.write(handle, json.dumps(message).encode() + b"\n")


def become_box(request, handle, number):
    """Fork the first process of a box's own namespace, and stay to take it along when the grader's side is killed."""
    limits = Limits(**request["limits"])
    keeper = os.getpid()
    walls.die_with(None)
    group = around = None
    if request["walls"]:
        if group := walls.control_group(limits):
            around = os.open(group.parent, os.O_PATH)  # the box takes the files away from this process, too
        walls.leave()
    child = os.fork()
    if child:
        tell(handle, {"process": child})
        silence(keep=[around] if group else ())
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.waitpid(child, 0)
        if group:
            os.rmdir(group.name, dir_fd=around)
        os._exit(0)
    walls.die_with(keeper if not request["walls"] else None)
    os.setsid()  # what is done to a whole group of processes, such as its priority, must not be done to the grader
    silence(keep=(handle,))
    if request["walls"]:
        walls.join(group)
        walls.enter(limits, request["seconds"], number=number, checkouts=request["checkouts"],
                    hidden=request["hidden"])
    else:
        walls.bound(limits, request["seconds"], walls.own_size())
    peer = wire.Peer(socket.socket(fileno=handle))
    tell(handle, {"ready": True})
    serve(peer)


def silence(keep):
    """Close every file but those to keep; what is printed goes nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    kept = sorted({0, 1, 2, *keep})
    for low, high in zip(kept, [*kept[1:], resource.getrlimit(resource.RLIMIT_NOFILE)[0]], strict=True):
        os.closerange(low + 1, high)


# --- inside -----------------------------------------------------------------------------------------------------------

def serve(peer):
    """Answer the grader until it hangs up."""
    loading.hide_the_course()
    sys.argv = [""]
    warnings.simplefilter("ignore")
    # The notebook's names live in a module called __main__, as they do in a session.
    notebook = types.ModuleType("__main__")
    sys.modules["__main__"] = notebook
    failed = {}
    peer.functions["load"] = lambda statements: loading.load(statements, notebook, failed)
    peer.functions["attempt"] = lambda name, wanted, probe, seed, by: tried(name, notebook, failed, wanted=wanted,
                                                                            probe=probe, seed=seed, by=by)
    while True:
        peer.answer(peer.receive())


def tried(name, notebook, failed, *, wanted, probe, seed, by):
    """What came of calling the notebook's function `name`: a dict that says so.

    failed: from names that could not be defined to why. wanted: the parameters that the function must have.
    by: see `attempt`.
    """
    function = getattr(notebook, name, None)
    if function is None:
        return {"problem": f"`{name}` could not be defined" + (f": {failed[name]}" if name in failed else "")}
    if isinstance(function, loading.NotHere):
        return {"problem": f"{function.__name__} is the course's: `{name}` must be your own"}
    if problem := signature_problem(wanted, function):
        return {"problem": problem}
    trial = attempt(function, probe, seed, by)
    if trial.is_open:
        return {"open": True}
    if trial.problem:
        return {"problem": trial.problem + loading.reason(trial.problem, failed)}
    return {"result": trial.result, "changed": trial.changed, "gradients": trial.gradients, "again": trial.again}


if __name__ == "__main__":
    if len(sys.argv) > 2:
        alone(int(sys.argv[1]), json.loads(sys.argv[2]))
    else:
        main(int(sys.argv[1]))
