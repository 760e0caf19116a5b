local peer = require "spec.support.peer"

peer(_ENV, "dnsmasq", { logged = "query", later = "query" })
