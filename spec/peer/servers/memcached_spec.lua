local peer = require "spec.support.peer"

peer(_ENV, "memcached", { told = "Too many open connections", counted = "rejected_connections " })
