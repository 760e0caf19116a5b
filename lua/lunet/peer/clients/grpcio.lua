--- Python's grpcio. A call fails when the first try to make a channel does, after 20 s. The next try begins at once,
--- while the program ends.
return require("lunet.peer.python").client {
  library = "grpc",
  package = "python3-grpcio",
  script = [[
channel = grpc.insecure_channel(f"{address}:{port}")
channel.subscribe(lambda state: print("state:", state.name, flush=True))
channel.unary_unary("/lunet.Server/Ask")(b"word", **options)]],
  waits = {
    default = { connect = 20, answer = 20, connections = { 1, 2 }, status = 1, words = "UNAVAILABLE" },
    answer = { option = "timeout=3", connect = 3, answer = 3, status = 1, words = "DEADLINE_EXCEEDED" },
  },
}
