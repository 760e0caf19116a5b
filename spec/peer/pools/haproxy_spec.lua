local pool = require "spec.support.pool"

pool(_ENV, "haproxy", { says = "Idle_pct: %d+", logged = "200 ----" })
