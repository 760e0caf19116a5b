return {
  shown = {
    lateness = "it says how late the machine was, and only keeps a late run from being judged",
  },
}
