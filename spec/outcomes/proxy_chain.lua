return {
  shown = {
    ["chains[].raced"] = "whether a hop hears of the FIN before its own timer ends is left open by the claim",
  },
}
