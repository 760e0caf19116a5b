return { knobs = { seeds = 1, lateness = 100.0, spare = 0 } } -- short, and judged also in company
