local peer = require "spec.support.peer"

peer(_ENV, "h2o", { logged = "200", later = "200" })
