local pool = require "spec.support.pool"

pool(_ENV, "nginx_reuseport", { says = "Active connections: %d" })
