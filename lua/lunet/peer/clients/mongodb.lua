--- mongodb. Its serverSelectionTimeoutMS covers all tries. By default connectTimeoutMS is 30 s, too, and ends the
--- connection at about the same time, after which the next one is made.
return require("lunet.peer.node").client {
  library = "mongodb",
  script = 'await require("mongodb").MongoClient.connect(`mongodb://${host}:${port}`, options);',
  waits = {
    default = { connect = 30, answer = 30, connections = { 1, 2 }, ghosts = { 0, 2 },
      words = "MongoServerSelectionError" },
    answer = { option = "serverSelectionTimeoutMS: 3000", connect = 3, answer = 3, ghosts = 0, status = "runs on",
      words = "MongoServerSelectionError" },
  },
}
