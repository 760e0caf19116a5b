local WHEN <const> = "when goodput comes back is what the remedies differ in; the claim is of whether it does"

return {
  shown = {
    ["remedies[].min_s"] = WHEN, ["remedies[].max_s"] = WHEN,
    repeated = "tells how many disturbed runs were done again; what stayed disturbed is left out",
  },
  sizes = { success_before = true, ["last_second[].ghosts"] = true, ["last_second[].depth"] = true },
}
