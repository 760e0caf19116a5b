local peer = require "spec.support.peer"

peer(_ENV, "memcached_slow", { limit = 0, logged = "Too many open files" })
