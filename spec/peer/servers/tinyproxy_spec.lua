local peer = require "spec.support.peer"

peer(_ENV, "tinyproxy", {
  meanwhile = "Refusing new connections", logged = "Refusing, ghost", later = "Refusing, word",
})
