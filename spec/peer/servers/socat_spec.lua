local peer = require "spec.support.peer"

peer(_ENV, "socat", { logged = "maxchildren" })
