return {
  shown = {
    ["cases[].limits"] = "each program sets the limit of the queue as it likes; the claim is about its clients",
  },
}
