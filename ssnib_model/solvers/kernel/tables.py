"""Look-up of equilibrium potentials."""

from ssnib_model.solvers.kernel.compiled import compiled


@compiled
def value(table, x):
    """Cubic Hermite interpolation on a uniform table over [0, 1]; straight on outside."""
    n = table.shape[0] - 1
    position = x * n
    k = min(max(int(position), 0), n - 1)
    u = position - k
    f, g = table[k, 0], table[k + 1, 0]
    df, dg = table[k, 1], table[k + 1, 1]
    if u < 0:
        return f + df * u
    if u > 1:
        return g + dg * (u - 1)
    a, b = df - (g - f), (g - f) - dg
    return f + u * ((g - f) + (1 - u) * (a * (1 - u) + b * u))


@compiled
def value_and_slope(table, x):
    """As `value`, and its slope."""
    n = table.shape[0] - 1
    position = x * n
    k = min(max(int(position), 0), n - 1)
    u = position - k
    f, g = table[k, 0], table[k + 1, 0]
    df, dg = table[k, 1], table[k + 1, 1]
    if u < 0:
        return f + df * u, df * n
    if u > 1:
        return g + dg * (u - 1), dg * n
    a, b = df - (g - f), (g - f) - dg
    found = f + u * ((g - f) + (1 - u) * (a * (1 - u) + b * u))
    slope = (g - f) + (1 - 2 * u) * (a * (1 - u) + b * u) + u * (1 - u) * (b - a)
    return found, slope * n


@compiled
def integral(table, x):
    """Integral from 0 to ``x``."""
    position = min(max(x, 0.0), 1.0) * (table.shape[0] - 1)
    k = min(int(position), table.shape[0] - 2)
    below = table[k, 2] + (position - k) * (table[k + 1, 2] - table[k, 2])
    return below + table[-1, 0] * max(x - 1, 0.0) + table[0, 0] * min(x, 0.0)
