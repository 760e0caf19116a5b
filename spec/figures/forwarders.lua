return { knobs = { longest = 4 } } -- shorter than a connect to a full queue takes
