"""Which dtype trains faster here? It is measured, for it is no property of a device's name.

Of two x86 CPUs one multiplied in bf16 five times slower than in fp32, the other five times faster.
"""

import time

import torch

_REPEATS = 3


def faster(bf16: float, fp32: float) -> str:
    """Return the dtype of the shorter of two times in seconds; fp32 where they are equal."""
    return "bf16" if bf16 < fp32 else "fp32"


def seconds_of_matmul(device: torch.device) -> dict[str, float]:
    """Return the seconds that one product of square matrices takes in bf16 and in fp32: the best of three."""
    n = 4096 if device.type == "cuda" else 768
    return {"bf16": _best(n, torch.bfloat16, device), "fp32": _best(n, torch.float32, device)}


def _best(n: int, dtype: torch.dtype, device: torch.device) -> float:
    matrix, seconds = torch.ones(n, n, dtype=dtype, device=device), []
    for _ in range(1 + _REPEATS):  # the first one warms up
        began = time.perf_counter()
        product = matrix @ matrix
        product[0, 0].item()  # waits for the device
        seconds.append(time.perf_counter() - began)
    return round(min(seconds[1:]), 6)
