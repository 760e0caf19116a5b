return {
  shown = { late_ms = "tells how much the machine disturbed the run, which is not judged if it is too much" },
  sizes = { overflows = true, half_to = true },
}
