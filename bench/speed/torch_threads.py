"""How many threads PyTorch computes with."""

import os

import torch


def take_all_cores():
    """As many threads as this process has cores, as TensorFlow takes them; their number."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    torch.set_num_threads(count)
    return torch.get_num_threads()
