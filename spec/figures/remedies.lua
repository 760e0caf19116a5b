return { knobs = { part = "scenario" } } -- the overload has times that are wrong in company
