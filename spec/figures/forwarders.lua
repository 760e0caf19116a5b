return { knobs = { forwarder = "haproxy", longest = 4 } } -- all of them take half a minute, and a run is made often
