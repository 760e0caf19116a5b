local peer = require "spec.support.peer"

peer(_ENV, "memcached", { told = "ERROR Too many open connections" })
