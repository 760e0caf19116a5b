return {
  shown = {
    lateness = "it says how late the machine was, and only widens the bounds of times by that",
  },
}
