"""The process that boxes are forked from, and what runs in a box: a student's functions, called on the grader's probes.

    python -P -m advcourse.grading.box.inside FD [REQUEST]

FD: a Unix socket on which the grader asks for boxes; with a REQUEST, this process, which bubblewrap has walled in,
becomes the box itself. The process that forks has imported PyTorch, so that a box starts in milliseconds, and knows
nothing that a student may not: no reference, no check, no seed, no other submission.
"""

import ast
import gc
import importlib.abc
import importlib.util
import json
import linecache
import os
import resource
import signal
import socket
import sys
import types
import warnings

import numpy  # noqa: F401 (imported before the fork: a box then has it at once)
import torch

from advcourse.exercises.attempt import attempt, signature_problem
from advcourse.grading.box import values, walls, wire
from advcourse.grading.box.limits import Limits

OWN = "advcourse"
SECRET = (f"{OWN}.exercises.notebook_", f"{OWN}.exercises.probes", f"{OWN}.attacks", f"{OWN}.handin")


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

class Missing(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes every import from the course succeed and every use of it fail, in words."""

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self, is_package=True) if name.split(".")[0] == OWN else None

    def create_module(self, spec):
        return NotHere(spec.name)

    def exec_module(self, module):
        pass


class NotHere(types.ModuleType):
    """Stands for a module of the course, and for everything in it."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return NotHere(f"{self.__name__}.{name}")

    def __call__(self, *arguments, **keywords):
        raise RuntimeError(f"{self.__name__} is not at hand when your work is graded: "
                           "your function stands on PyTorch and NumPy alone")


def serve(peer):
    """Answer the grader until it hangs up."""
    for name in [name for name in sys.modules if name.split(".")[0] == OWN]:
        del sys.modules[name]
    sys.meta_path.insert(0, Missing())
    sys.argv = [""]
    warnings.simplefilter("ignore")
    # The notebook's names live in a module called __main__, as they do in a session.
    notebook = types.ModuleType("__main__")
    sys.modules["__main__"] = notebook
    failed = {}
    peer.functions["load"] = lambda statements: load(statements, notebook, failed)
    peer.functions["attempt"] = lambda name, wanted, probe, seed: tried(name, notebook, failed, wanted=wanted,
                                                                        probe=probe, seed=seed)
    while True:
        peer.answer(peer.receive())


def load(statements, notebook, failed):
    """Run the notebook's definitions, one by one; `failed` remembers by name why one could not be made."""
    for place, statement in enumerate(statements):
        file = f"<your notebook, {place}>"  # each statement its own: its lines count from the top of its cell
        linecache.cache[file] = (len(statement), None, statement.splitlines(keepends=True), file)
        tree = ast.parse(statement)
        try:
            exec(compile(tree, file, "exec"), vars(notebook))  # this is what the box is for
        except BaseException as error:
            failed.update(dict.fromkeys(bound_names(tree), f"{type(error).__name__}: {error}"[:300]))


def bound_names(tree):
    """The names that a statement would have given a value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.split(".")[0]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def tried(name, notebook, failed, *, wanted, probe, seed):
    """What came of one call of the notebook's function `name`: a dict that says so.

    failed: from names that could not be defined to why. wanted: the parameters that the function must have.
    """
    function = getattr(notebook, name, None)
    if function is None:
        return {"problem": f"`{name}` could not be defined" + (f": {failed[name]}" if name in failed else "")}
    if isinstance(function, NotHere):
        return {"problem": f"{function.__name__} is the course's: `{name}` must be your own"}
    if problem := signature_problem(wanted, function):
        return {"problem": problem}
    trial = attempt(function, probe, seed)
    if trial.is_open:
        return {"open": True}
    if trial.problem:
        reasons = [f"; `{unknown}` was not at hand, as its line ends in {words}" for unknown, words in failed.items()
                   if f"'{unknown}' is not defined" in trial.problem]
        return {"problem": trial.problem + "".join(reasons[:1])}
    return {"result": trial.result, "changed": list(trial.changed)}


if __name__ == "__main__":
    if len(sys.argv) > 2:
        alone(int(sys.argv[1]), json.loads(sys.argv[2]))
    else:
        main(int(sys.argv[1]))
