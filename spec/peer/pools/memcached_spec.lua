local pool = require "spec.support.pool"

pool(_ENV, "memcached", { says = "curr_connections %d+", logged = "nothing" })
