return {
  knobs = { client = "dig", option = "answer", longest = 8 },
  shown = {
    ["rows[].version"] = "each machine has its own version, and the claim holds for all of them",
    ["rows[].startup"] = "how long the machine takes to start the program, which the claim is not about",
  },
}
