return { knobs = { client = "dig", option = "answer", longest = 8 } } -- the others take twenty seconds a run
