local peer = require "spec.support.peer"

peer(_ENV, "haproxy", { logged = "200 ----", later = "200 ----" })
