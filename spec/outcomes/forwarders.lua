return {
  knobs = { forwarder = "socat", longest = 4 }, -- shorter than its connect to a full queue takes
  shown = {
    ["rows[].after"] = "when a client hears of its server depends on the forwarder; the check compares it with longest",
    ["rows[].logged"] = "each forwarder has words of its own, which the claim is not about",
  },
}
