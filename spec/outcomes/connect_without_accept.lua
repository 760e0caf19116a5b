return {
  shown = {
    ["kernel.somaxconn"] = "it bounds the limit only if the backlog is greater, which a spec tries",
  },
}
