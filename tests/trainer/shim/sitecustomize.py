"""Lets accelerate shard on CPUs, for tests alone: it enters FSDP only where it believes that it has GPUs.

Python imports this by its name in every process that has the folder on its PYTHONPATH.
"""

import os

os.environ.setdefault("ACCELERATE_TORCH_DEVICE", "cpu")

if {"LOCAL_RANK", "SLURM_LOCALID"} & os.environ.keys():
    from accelerate import state
    from accelerate.utils import DistributedType

    prepare_backend = state.PartialState._prepare_backend

    def _prepare_backend(self, cpu=False, sagemaker_dp=False, backend=None):  # type: ignore[no-untyped-def]
        if not cpu:
            return "gloo", DistributedType.MULTI_GPU
        return prepare_backend(self, cpu, sagemaker_dp, backend)

    state.PartialState._prepare_backend = _prepare_backend
