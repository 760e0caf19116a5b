local pool = require "spec.support.pool"

pool(_ENV, "node_cluster", {})
