return { knobs = { seeds = 1, spare = 0 } } -- short
