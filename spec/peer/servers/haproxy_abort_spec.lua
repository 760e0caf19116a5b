local peer = require "spec.support.peer"

peer(_ENV, "haproxy_abort", { holds = true, logged = "200 ----", later = "200 ----" })
