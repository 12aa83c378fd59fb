"""Measurements that the model makes: what was done is known of them."""

import numpy as np
import pandas as pd

import ssnib_model as ss

#: Every kind of step, and of end.
TESTS = {
    "all kinds": [
        "Rest for 10 minutes", "Charge at C/5 until 3.9 V", "Hold at 3.9 V until C/50",
        "Rest for 1 hour", "Discharge at 1 C until 2.5 V", "Rest for 30 minutes",
        "Charge at C/2 for 40 minutes", "Discharge at 0.5 C until 2.5 V",
        "Discharge at C/5 until 2.5 V", "Rest for 10 minutes",
    ],
    "titration": ["Charge at C/5 until 3.9 V"]
    + ["Discharge at C/10 for 20 minutes", "Rest for 40 minutes"] * 3,
    "pulses": [
        "Charge at C/10 until 3.9 V", "Rest for 1 hour", "Discharge at C/10 for 5 hours",
        "Rest for 10 minutes", "Discharge at 1.1 C for 10 seconds", "Rest for 10 minutes",
        "Charge at 1.1 C for 10 seconds", "Rest for 10 minutes", "Discharge at C/100 for 1 hour",
        "Discharge at C/10 until 2.5 V",
    ],
    "aborted": [
        "Charge at C/5 for 1.7 hours", "Rest for 10 minutes", "Charge at C/5 until 3.9 V",
        "Discharge at 1 C for 1313 seconds", "Discharge at C/5 until 2.5 V",
        "Charge at C/10 for 9000 seconds",
    ],
    "multi-step": [
        "Charge at C/5 until 3.9 V", "Discharge at 2 C until 2.5 V",
        "Discharge at 1 C until 2.5 V", "Discharge at C/2 until 2.5 V",
        "Discharge at C/10 until 2.5 V", "Rest for 1 hour",
    ],
    "to a capacity": [
        "Charge at C/5 until 3.9 V", "Discharge at 0.3 C until 53% capacity",
        "Charge at C/5 until 3.9 V", "Discharge at 0.72 C until 53% capacity", "Rest for 1 hour",
    ],
}  # fmt: skip

#: A fixed rate of charge, as rate tests have it.
RATE_TEST = [
    step
    for rate in ("C/5", "C/2", "1 C", "2 C")
    for step in ("Charge at C/5 until 3.9 V", f"Discharge at {rate} until 2.5 V")
]


def measured(
    steps, parameters, rows=80, every=None, volts=0.0, amperes=0.0, columns=True, model=None
):
    """What a cycler would write of a test of the model.

    Noise is in V, and as a part of the largest current; rows are for each step, or every so
    many seconds.
    """
    result = ss.Protocol(steps).run(model, parameters)
    draws = np.random.default_rng(0)
    parts, begin = [], 0.0
    for step in result.steps:
        segment = step.segment
        t = np.linspace(0, segment.duration, rows)
        if every:
            t = np.append(np.arange(0, segment.duration, every), segment.duration)
        parts.append(
            pd.DataFrame(
                {
                    "Time [s]": begin + t,
                    "Current [A]": segment.current(t),
                    "Voltage [V]": segment.voltage(t),
                    "Step": step.number,
                    "Cycle": step.planned.cycle,
                }
            )
        )
        begin += segment.duration
    frame = pd.concat(parts, ignore_index=True)
    largest = np.abs(frame["Current [A]"]).max()
    frame["Voltage [V]"] += volts * draws.standard_normal(len(frame))
    frame["Current [A]"] += amperes * largest * draws.standard_normal(len(frame))
    return frame if columns else frame.drop(columns=["Step", "Cycle"])
