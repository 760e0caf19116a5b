return { knobs = { server = "nginx" } } -- many servers take a minute, and a run is made often
