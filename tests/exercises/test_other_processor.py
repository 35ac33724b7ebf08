"""A right answer is right on every processor: rounding must not decide, say, the sign of a gradient's smallest entry.

PyTorch chooses its loops by what the processor can do. Told that it can do little, it adds in another order.
"""

import os
import subprocess
import sys

import pytest

from tests.exercises.harness import FOLDER, notebooks

PLAIN = {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2", "ONEDNN_MAX_CPU_ISA": "SSE41"}
JUDGE = """
import sys
import torch
from tests.exercises.harness import answers, functions, rejected_seeds, seeds

assert torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "NO AVX")
notebook = sys.argv[1]
for exercise in functions(notebook):
    for function in [exercise.reference, *answers(exercise.number).RIGHT]:
        for seed in rejected_seeds(exercise, function, seeds(exercise, 3)):
            print(f"{exercise.number}: {function.__name__} is rejected with seed {seed}")
"""


@pytest.mark.parametrize("notebook", notebooks())
def test_right_answers_pass_on_another_processor(notebook):
    ran = subprocess.run([sys.executable, "-c", JUDGE, notebook], capture_output=True, text=True, timeout=240, env={
        **os.environ, **PLAIN, "PYTHONPATH": os.pathsep.join([str(FOLDER.parent / "exercises"),
                                                              os.environ.get("PYTHONPATH", "")])})
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stdout + ran.stderr
