return { knobs = { load = 0.0 } } -- the scenario; the overload has times that are wrong in company
