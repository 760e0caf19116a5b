return {
  shown = { late_ms = "tells how much the machine disturbed the run, which is not judged if it is too much" },
  given = { storm_s = "the end of the run, if goodput has not come back" },
  absent = { predicted_s = "the model's storm never ends with these knobs" },
  sizes = { success_before = true, depth = true, ["slices[].goodput"] = true },
}
