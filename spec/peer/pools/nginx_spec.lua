local pool = require "spec.support.pool"

pool(_ENV, "nginx", { says = "Active connections: 1" })
