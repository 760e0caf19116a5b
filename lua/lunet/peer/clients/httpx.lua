--- Python's httpx.
return require("lunet.peer.python").client {
  library = "httpx",
  package = "python3-httpx",
  script = "httpx.get(URL, **options)",
  waits = {
    default = { connect = 5, answer = 5, status = 1, words = "ReadTimeout" },
    connect = { option = "timeout=httpx.Timeout(None, connect=3)", connect = 3 },
    answer = { option = "timeout=3", connect = 3, answer = 3, status = 1, words = "ReadTimeout" },
  },
}
