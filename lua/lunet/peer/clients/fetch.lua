--- Node's fetch, which is a copy of undici. An abort ends the connection, and undici connects again at once, unless the
--- abort comes before the request is written.
return require("lunet.peer.node").client {
  script = "await fetch(URL, options);",
  waits = {
    default = { connect = 10, answer = 300, status = 1, words = "TypeError fetch failed" },
    answer = { option = "signal: AbortSignal.timeout(3000)", connect = 3, answer = 3, connections = { 1, 2 },
      status = 1, words = "TimeoutError" },
  },
}
