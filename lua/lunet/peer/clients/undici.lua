--- undici.
return require("lunet.peer.node").client {
  library = "undici",
  script = [[
  const { Agent, request } = require("undici");
  await request(URL, { dispatcher: new Agent(options) });]],
  waits = {
    default = { connect = 10, answer = 300, status = 1, words = "HeadersTimeoutError" },
    connect = { option = "connectTimeout: 3000", connect = 3, answer = 300 },
    answer = { option = "headersTimeout: 3000", connect = 10, answer = 3, status = 1, words = "HeadersTimeoutError" },
  },
}
