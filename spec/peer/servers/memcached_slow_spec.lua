local peer = require "spec.support.peer"

peer(_ENV, "memcached_slow", { logged = "Too many open files" })
