--- superagent.
return require("lunet.peer.node").client {
  library = "superagent",
  script = 'await require("superagent").get(URL).timeout(options);',
  waits = {
    default = {},
    answer = { option = "response: 3000", connect = 3, answer = 3, status = 1, words = "Response timeout" },
  },
}
