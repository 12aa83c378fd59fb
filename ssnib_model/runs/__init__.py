"""Questions asked of many rate tests: sweeps, sensitivities, targets."""
