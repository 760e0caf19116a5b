local pool = require "spec.support.pool"

pool(_ENV, "puma", { says = '"booted_workers":3', logged = "nothing" })
