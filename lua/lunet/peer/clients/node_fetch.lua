--- node-fetch.
return require("lunet.peer.node").client {
  library = "node-fetch",
  script = 'await require("node-fetch").default(URL, options);',
  waits = {
    default = {},
    answer = { option = "signal: AbortSignal.timeout(3000)", connect = 3, answer = 3, status = 1,
      words = "AbortError" },
  },
}
