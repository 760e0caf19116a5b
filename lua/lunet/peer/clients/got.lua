--- got, which tries a GET three times.
return require("lunet.peer.node").client {
  library = "got",
  script = 'await require("got").default(URL, options);',
  waits = {
    default = {},
    connect = { option = "timeout: { connect: 1500 }, retry: { limit: 1 }", connect = 4 },
    answer = { option = "timeout: { response: 1500 }, retry: { limit: 1 }", answer = 4, connections = 2,
      status = 1, words = "ETIMEDOUT" },
  },
}
