--- Python's requests.
return require("lunet.peer.python").client {
  library = "requests",
  package = "python3-requests",
  script = "requests.get(URL, **options)",
  waits = {
    default = {},
    connect = { option = "timeout=(3, None)", connect = 3 },
    answer = { option = "timeout=3", connect = 3, answer = 3, status = 1, words = "ReadTimeout" },
  },
}
