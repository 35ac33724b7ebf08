"""What to do on a system that gives no boxes: one sentence, by what can be seen of the system."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

CLUSTER = "or hand the work to a Linux cluster: --scheduler tcp://HOST:8786"


def remedy(platform: str = sys.platform, root: Path = Path("/"), environment: Mapping = os.environ) -> str:
    """A sentence for whoever wants to grade here.

    platform: as `sys.platform` says. root: where /proc and the marks of containers are looked for.
    """
    def said(path):
        try:
            return (root / path).read_text(encoding="utf-8").strip()
        except OSError:
            return ""

    if platform == "darwin":
        return ("boxes for students' code need Linux: on macOS grade in a Linux virtual machine, or in a container "
                f"that `docker run --privileged` starts, {CLUSTER}")
    if platform != "linux":
        return ("boxes for students' code need Linux: on Windows grade in WSL 2 (`wsl --install`) or in a virtual "
                f"machine, {CLUSTER}")
    if environment.get("CODESPACES"):
        return ('a codespace keeps namespaces from programs: put "runArgs": ["--privileged"] into '
                f".devcontainer/devcontainer.json and rebuild it, or grade on a machine of your own, {CLUSTER}")
    if environment.get("KUBERNETES_SERVICE_HOST"):
        return ("this pod keeps namespaces from programs: give its container `securityContext: {privileged: true}`, or "
                f"grade on a machine of your own, {CLUSTER}")
    if (root / ".dockerenv").exists() or (root / "run/.containerenv").exists():
        return ("this container keeps namespaces from programs: start it with `docker run --privileged`, or with "
                "`--security-opt seccomp=unconfined --security-opt apparmor=unconfined --cap-add SYS_ADMIN`, or grade "
                "outside of it")
    if "Microsoft" in said("proc/version"):  # WSL 2 writes it small
        return "WSL 1 has no Linux kernel: `wsl --set-version DISTRIBUTION 2` makes it WSL 2, which has one"
    if said("proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        return ("AppArmor keeps namespaces from users' programs, as Ubuntu does from 24.04 on: grade as root (`sudo "
                '"$(command -v advcourse)" grade …`), or allow them until the next start with `sudo sysctl -w '
                "kernel.apparmor_restrict_unprivileged_userns=0`")
    for name, least in (("kernel/unprivileged_userns_clone", 1), ("user/max_user_namespaces", 10_000)):
        if said(f"proc/sys/{name}") == "0":
            return ("this system keeps namespaces from users' programs: grade as root, or allow them with `sudo sysctl "
                    f"-w {name.replace('/', '.')}={least}`")
    if not shutil.which("bwrap"):
        return ("grade as root or as a user who may make user namespaces, or install bubblewrap (Debian and Ubuntu: "
                "`apt install bubblewrap`)")
    return f"grade as root or as a user who may make user namespaces, {CLUSTER}"
