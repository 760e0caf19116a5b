local peer = require "spec.support.peer"

peer(_ENV, "squid", { later = "TCP_MISS/200" })
