--- axios.
return require("lunet.peer.node").client {
  library = "axios",
  script = 'await require("axios").get(URL, options);',
  waits = {
    default = {},
    answer = { option = "timeout: 3000", connect = 3, answer = 3, status = 1, words = "ECONNABORTED" },
  },
}
