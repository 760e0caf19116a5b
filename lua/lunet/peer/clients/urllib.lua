--- Python's urllib. Its timeout is for each call on the socket.
return require("lunet.peer.python").client {
  library = "urllib.request",
  script = "urllib.request.urlopen(URL, **options)",
  waits = {
    default = {},
    answer = { option = "timeout=3", connect = 3, answer = 3, status = 1, words = "TimeoutError" },
  },
}
