return {
  shown = {
    ["rows[].held"] = "how many it lets in depends on what it needs for itself; the check bounds it by the limit alone",
  },
}
