local peer = require "spec.support.peer"

peer(_ENV, "haproxy_server", { holds = true, logged = "200 ----", later = "200 ----" })
