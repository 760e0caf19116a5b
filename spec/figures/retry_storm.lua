return { knobs = { seeds = 1, backlogs = { 3, 40 }, spare = 0 } } -- short
