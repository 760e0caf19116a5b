local pool = require "spec.support.pool"

pool(_ENV, "redis", { says = "no answer", logged = "nothing" })
