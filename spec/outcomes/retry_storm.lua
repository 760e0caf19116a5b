local DISTURBED <const> = "tells how much the machine disturbed the runs; too many of them are not judged"

return {
  shown = { repeated = DISTURBED, invalid = DISTURBED },
  sizes = { ["traffic[].overflows"] = true, ["traffic[].ghosts"] = true },
}
